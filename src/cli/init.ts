import { GROUP, VERSION } from '../api/names.ts';
import { SluiceError } from '../base/errors.ts';
import { type Deployment, deployments, type HTTPRoute, httpRoutes, type Service, services } from '../kube/builtins.ts';
import { isNotFound } from '../kube/kube-error.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';
import type { Findings } from './init-manifest.ts';
import type { Connection } from './ports.ts';

const metricsResource: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'metrics',
  kind: 'Metric',
  namespaced: true,
};
/** More routes than a Rollout may name are no help. */
const MAX_ROUTES = 8;

/** Finds the Service that picks the Deployment's pods and the routes that send to it. */
export async function findFor(connection: Connection, deployment: string, signal: AbortSignal): Promise<Findings> {
  const { client, namespace } = connection;
  const found = await client.get(deployments, { namespace, name: deployment }, { signal });
  if (!found) {
    throw new SluiceError(
      'SLUICE_CLI_NO_DEPLOYMENT',
      `there is no Deployment ${deployment} in the namespace ${namespace}`,
    );
  }
  const [allServices, routes, metrics] = await Promise.all([
    client.list(services, { namespace }, { signal }).then(({ items }) => items),
    listIfServed(connection, httpRoutes, signal),
    listIfServed(connection, metricsResource, signal),
  ]);
  const picking = allServices
    .filter((service) => picks(service, found))
    .map(nameOf)
    .sort();
  const sendingTo = (service: string) =>
    routes
      .filter((route) => sendsTo(route, service, namespace))
      .map(nameOf)
      .sort();
  const service = picking.find((name) => sendingTo(name).length > 0);
  if (service === undefined) throw nothingToSteer(deployment, picking);
  return {
    namespace,
    deployment,
    service,
    httpRoutes: sendingTo(service).slice(0, MAX_ROUTES),
    otherServices: picking.filter((name) => name !== service),
    metrics: metrics.map(nameOf).sort(),
  };
}

function nothingToSteer(deployment: string, picking: readonly string[]): SluiceError {
  return picking.length === 0
    ? new SluiceError('SLUICE_CLI_NO_SERVICE', `no Service picks the pods of Deployment ${deployment}`)
    : new SluiceError('SLUICE_CLI_NO_ROUTE', `no HTTPRoute of this namespace sends to Service ${picking.join(' or ')}`);
}

const nameOf = ({ metadata }: KubeObject): string => metadata.name;

async function listIfServed<T extends KubeObject>(
  { client, namespace }: Connection,
  resource: Resource<T>,
  signal: AbortSignal,
): Promise<readonly T[]> {
  try {
    return (await client.list(resource, { namespace }, { signal })).items;
  } catch (error) {
    if (isNotFound(error)) return []; // the resource type is not installed
    throw error;
  }
}

/** A selector without labels picks nothing. */
function picks({ spec }: Service, deployment: Deployment): boolean {
  const selector = Object.entries(spec?.selector ?? {});
  const labels = deployment.spec?.template.metadata?.labels ?? {};
  return selector.length > 0 && selector.every(([key, value]) => labels[key] === value);
}

interface RouteSpec {
  readonly rules?: readonly { readonly backendRefs?: readonly BackendRef[] }[];
}

interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
}

function sendsTo({ spec }: HTTPRoute, service: string, namespace: string): boolean {
  const refs = (spec as RouteSpec | undefined)?.rules?.flatMap(({ backendRefs }) => backendRefs ?? []) ?? [];
  return refs.some(
    (ref) =>
      (ref.group ?? '') === '' &&
      (ref.kind ?? 'Service') === 'Service' &&
      ref.name === service &&
      (ref.namespace ?? namespace) === namespace,
  );
}
