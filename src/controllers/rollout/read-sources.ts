import { ROLLOUT_LABEL } from '../../api/names.ts';
import {
  controllerRevisions,
  deployments,
  type EnvoyObject,
  endpointSlices,
  httpRoutes,
  pods,
  replicaSets,
  securityPolicies,
  services,
} from '../../kube/builtins.ts';
import { Cache, type IndexBy } from '../../kube/cache.ts';
import type { KubeClient, Selection } from '../../kube/client.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { indexes, type PolicySources, rolloutsResource, type Sources } from './sources.ts';

/**
 * What the way back of one namespace's Rollouts looks at, listed afresh: for one who passes by, without watches. Metrics,
 * gateways and autoscalers matter only to what goes up, and are left out.
 */
export async function readSources(client: KubeClient, namespace: string, signal: AbortSignal): Promise<Sources> {
  const read = async <T extends KubeObject, Index extends string = never>(
    resource: Resource<T>,
    by: Readonly<Record<Index, IndexBy<T>>>,
    selection: Selection = {},
  ): Promise<Cache<T, Index>> => {
    const { items } = await client.list(resource, { namespace, ...selection }, { signal });
    const cache = new Cache<T, Index>(by);
    cache.replaceAll(items);
    return cache;
  };
  const [rollouts, workloads, sets, podsThere, all, slices, records, routes] = await Promise.all([
    read(rolloutsResource, indexes.rollouts),
    read(deployments, indexes.deployments),
    read(replicaSets, indexes.replicaSets),
    read(pods, indexes.pods, { labelSelector: 'pod-template-hash' }),
    read(services, {}),
    read(endpointSlices, indexes.endpointSlices),
    read(controllerRevisions, indexes.controllerRevisions, { labelSelector: ROLLOUT_LABEL }),
    read(httpRoutes, {}),
  ]);
  const policies = await readPolicies(client, namespace, signal);
  return {
    policies,
    evaluators: { of: () => ({ listening: 0, running: 0 }) },
    rollouts,
    deployments: workloads,
    replicaSets: sets,
    pods: podsThere,
    services: all,
    endpointSlices: slices,
    controllerRevisions: records,
    httpRoutes: routes,
    metrics: new Cache({}),
    gateways: new Cache({}),
    gatewayClasses: new Cache({}),
    autoscalers: new Cache(indexes.autoscalers),
    presetNamespace: '',
    defaultGuardrails: [],
  };
}

/** None where Envoy Gateway is not installed. */
async function readPolicies(client: KubeClient, namespace: string, signal: AbortSignal): Promise<PolicySources> {
  const security = new Cache(indexes.securityPolicies);
  const unread = { clientTraffic: new Cache<EnvoyObject>({}), grants: new Cache<EnvoyObject>({}) };
  try {
    security.replaceAll((await client.list(securityPolicies, { namespace }, { signal })).items);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return { security, ...unread, isServed: () => false, isKnown: () => true };
  }
  return { security, ...unread, isServed: () => true, isKnown: () => true };
}
