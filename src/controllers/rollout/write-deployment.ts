import { GATE_ENABLED, GATE_LABEL, HASH_LABEL, HELD_BY_ANNOTATION } from '../../api/names.ts';
import type { Write } from '../../core/rollout/decision.ts';
import { pinnable } from '../../core/rollout/pin.ts';
import { deployments, endpointSlices, httpRoutes, pods, replicaSets, services } from '../../kube/builtins.ts';
import type { KubeObject } from '../../kube/resource.ts';
import type { HttpRoute } from '../../traffic/gateway-api/http-route.ts';
import { observe } from '../../traffic/gateway-api/observe.ts';
import { serviceSeen } from './endpoints.ts';
import { routeContext } from './gather-routes.ts';
import { GATE_LABEL_OURS_ANNOTATION, templateOf } from './gather-workload.ts';
import { sizeAnnotations } from './manifests.ts';
import { hashOf, type PodTemplate, sameTemplate } from './template.ts';
import { deploymentOf, options, refOf, specOf, type WriteContext } from './write-context.ts';
import { ofDeployment } from './write-sets.ts';

export async function addGateLabel(context: WriteContext): Promise<void> {
  const metadata = { labels: { [GATE_LABEL]: GATE_ENABLED }, annotations: { [GATE_LABEL_OURS_ANNOTATION]: 'true' } };
  await patchDeployment(context, { metadata });
}

/** The Deployment runs free again. The version that was judged is the precondition: its template is the one we know. */
export async function resume(context: WriteContext): Promise<void> {
  await patchDeployment(context, {
    metadata: { annotations: { [HELD_BY_ANNOTATION]: null } },
    spec: { paused: false },
  });
}

/** Marker and gate label gone, as far as they are this Rollout's; then template and pause as the user chose. */
export async function letGo(
  context: WriteContext,
  { template, paused }: Extract<Write, { kind: 'LetGo' }>,
): Promise<void> {
  const deployment = deploymentOf(context);
  const { status, workload } = context.gathered.observed;
  const ours = workload?.gateLabelOurs === true;
  const metadata = {
    annotations: {
      ...(workload?.marked ? { [HELD_BY_ANNOTATION]: null } : {}),
      ...(ours ? { [GATE_LABEL_OURS_ANNOTATION]: null } : {}),
    },
    ...(ours ? { labels: { [GATE_LABEL]: null } } : {}),
  };
  const stable =
    template === 'Stable' && status.stable
      ? templateOf(context.gathered.sets, context.gathered.records, status.stable.hash)
      : undefined;
  const spec = { ...(paused === 'AsIs' ? {} : { paused }) };
  if (!stable) return patchDeployment(context, { metadata, spec });
  const { name, uid, resourceVersion } = deployment.metadata;
  const { [HASH_LABEL]: _hash, ...labels } = stable.metadata?.labels ?? {};
  const json = [
    { op: 'test' as const, path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'replace' as const, path: '/spec/template', value: { ...stable, metadata: { ...stable.metadata, labels } } },
    ...(paused === 'AsIs' ? [] : [{ op: 'add' as const, path: '/spec/paused', value: paused }]),
  ];
  // The template first: it is what the webhook compares, and the marker must not go before it is stable's.
  await context.client.patch(
    deployments,
    refOf(context, name),
    { json },
    { ...options(context), preconditions: { uid } },
  );
  await context.client.patch(
    deployments,
    refOf(context, name),
    { merge: { metadata } },
    { ...options(context), preconditions: { uid } },
  );
}

async function patchDeployment(context: WriteContext, merge: object): Promise<void> {
  const { name, uid, resourceVersion } = deploymentOf(context).metadata;
  await context.client.patch(
    deployments,
    refOf(context, name),
    { merge },
    { ...options(context), preconditions: { uid, resourceVersion } },
  );
}

/**
 * The point of no return. Everything that the decision rests on is read afresh; where anything differs nothing is written
 * and the next pass goes back one stage.
 */
export async function handOver(context: WriteContext, { hash }: Extract<Write, { kind: 'HandOver' }>): Promise<void> {
  const { client, logger, gathered } = context;
  const call = options(context);
  const spec = specOf(context);
  const cached = gathered.sets.find((set) => hashOf(set) === hash);
  const [deployment, set] = await Promise.all([
    client.get(deployments, refOf(context, spec.workload.name), call),
    client.get(replicaSets, refOf(context, cached?.metadata.name ?? `${spec.workload.name}-${hash}`), call),
  ]);
  const difference =
    !deployment || !set
      ? 'the Deployment or the canary set is gone'
      : ((await readsDiffer(context, hash)) ?? setDiffers(deployment, set));
  if (difference !== undefined || !deployment || !set) {
    logger.info({ rollout: gathered.rollout.metadata.name, difference }, 'no hand-over yet');
    return;
  }
  const merge = { metadata: ofDeployment(context, sizeAnnotations(deployment)) };
  const { name, uid, resourceVersion } = set.metadata;
  await client.patch(
    replicaSets,
    refOf(context, name),
    { merge },
    { ...call, preconditions: { uid, resourceVersion } },
  );
}

function setDiffers(
  deployment: KubeObject & { spec?: { template?: unknown; replicas?: number } | undefined },
  set: KubeObject & {
    spec?: { template?: unknown; replicas?: number } | undefined;
    status?: { availableReplicas?: number } | undefined;
  },
): string | undefined {
  if (!sameTemplate(deployment.spec?.template as PodTemplate, set.spec?.template as PodTemplate))
    return 'the template changed';
  const replicas = deployment.spec?.replicas ?? 1;
  if (set.spec?.replicas !== replicas || (set.status?.availableReplicas ?? 0) < replicas)
    return 'the canary is not at full size';
  return undefined;
}

/** No path of traffic may select stable's pods: neither the Service, nor its slices, nor a route. */
async function readsDiffer(context: WriteContext, hash: string): Promise<string | undefined> {
  const { client, gathered, sources, memory, clock } = context;
  const spec = specOf(context);
  const call = options(context);
  if (!pinnable(gathered.observed)) return undefined; // the route still goes to the helpers, and stays there until old pods are gone
  const { namespace } = gathered.rollout.metadata;
  const [service, slices, canaryPods] = await Promise.all([
    client.get(services, refOf(context, spec.traffic.service), call),
    client.list(
      endpointSlices,
      { namespace, labelSelector: `kubernetes.io/service-name=${spec.traffic.service}` },
      call,
    ),
    client.list(pods, { namespace, labelSelector: `${HASH_LABEL}=${hash}` }, call),
  ]);
  const seen = serviceSeen(service, slices.items, canaryPods.items);
  if (seen.aimedAt !== hash || !seen.listsAll) return 'the Service does not select the canary alone';
  for (const { name } of spec.traffic.router.gatewayAPI.httpRoutes) {
    const route = await client.get(httpRoutes, refOf(context, name), call);
    const flight = gathered.observed.status.inFlight;
    if (!route || !flight) continue;
    const view = observe(
      route as unknown as HttpRoute,
      routeContext(sources, gathered.rollout, spec, memory, flight, gathered.observed.status.epoch, route, clock.now()),
    );
    if (view.usesHelpers) return `HTTPRoute ${name} uses the helper Services`;
  }
  return undefined;
}
