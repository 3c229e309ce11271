import { controllerRevisions, deployments, httpRoutes, pods, replicaSets, services } from '../../src/kube/builtins.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeObject } from '../../src/kube/resource.ts';
import type { Manifest } from './manifests.ts';

/** Which pod it is, and that it is still the same process. */
export interface PodIdentity {
  readonly name: string;
  readonly startedAt: string | undefined;
  readonly restarts: number;
}

/** Pods of one revision that are not on their way out, by name. */
export async function podsOf(
  client: KubeClient,
  namespace: string,
  hash: string,
  signal: AbortSignal,
): Promise<PodIdentity[]> {
  const { items } = await client.list(pods, { namespace, labelSelector: `pod-template-hash=${hash}` }, { signal });
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, status }) => {
      const [container] = status?.containerStatuses ?? [];
      const { name } = metadata;
      return { name, startedAt: container?.state?.running?.startedAt, restarts: container?.restartCount ?? 0 };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What the user's objects mean, without what the API server and the controllers note on them. */
export async function userObjects(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
): Promise<Record<string, Manifest>> {
  const ref = { namespace, name: 'shop' };
  const [deployment, service, route] = await Promise.all([
    client.get(deployments, ref, { signal }),
    client.get(services, ref, { signal }),
    client.get(httpRoutes, ref, { signal }),
  ]);
  return { deployment: meaning(deployment), service: meaning(service), route: meaning(route) };
}

/** The same for an update that changed the template: everything else of the Deployment. */
export function withoutTemplate(objects: Record<string, Manifest>): Record<string, Manifest> {
  const { deployment, ...others } = objects;
  const { template: _template, ...spec } = deployment.spec;
  return { ...others, deployment: { ...deployment, spec } };
}

function meaning(object: (KubeObject & { readonly spec?: unknown }) | undefined): Manifest {
  if (!object) return undefined;
  const { uid, name, labels, annotations, ownerReferences, finalizers } = object.metadata;
  const { 'deployment.kubernetes.io/revision': _revision, ...notes } = annotations ?? {};
  return { metadata: { uid, name, labels, annotations: notes, ownerReferences, finalizers }, spec: object.spec };
}

/** Every trace that Sluice may leave in a namespace besides a Rollout: empty when it left none. */
export async function tracesOfSluice(client: KubeClient, namespace: string, signal: AbortSignal): Promise<string[]> {
  const kinds = [deployments, services, httpRoutes, replicaSets, controllerRevisions, pods];
  const lists = await Promise.all(
    kinds.map(async (kind) => ({
      kind,
      items: (await client.list<KubeObject>(kind, { namespace }, { signal })).items,
    })),
  );
  return lists.flatMap(({ kind, items }) =>
    items.flatMap(({ metadata, ...rest }) => [
      ...Object.keys({ ...metadata.annotations, ...metadata.labels })
        .filter((key) => key.startsWith('sluice.dev/') && key !== 'sluice.dev/gate')
        .map((key) => `${kind.kind} ${metadata.name} carries ${key}`),
      ...(kind.kind === 'ControllerRevision' ? [`ControllerRevision ${metadata.name}`] : []),
      ...(kind.kind === 'Service' && metadata.name !== 'shop' ? [`Service ${metadata.name}`] : []),
      ...(kind.kind === 'ReplicaSet' && metadata.ownerReferences?.[0]?.kind !== 'Deployment'
        ? [`ReplicaSet ${metadata.name} is not the Deployment’s`]
        : []),
      ...(kind.kind === 'Service' && JSON.stringify(rest).includes('pod-template-hash')
        ? [`Service ${metadata.name} is pinned`]
        : []),
    ]),
  );
}
