import { rolloutsResource } from '../../../src/controllers/rollout/sources.ts';
import {
  deployments,
  endpointSlices,
  type HTTPRoute,
  httpRoutes,
  pods,
  replicaSets,
  services,
} from '../../../src/kube/builtins.ts';
import type { KubeObject, Resource } from '../../../src/kube/resource.ts';
import { inParallel } from './in-parallel.ts';
import { addressOf, runningStatus } from './kubelet.ts';
import type { Manifest, Rig } from './rig.ts';
import { deploymentOf, namespacesOf, rolloutOf, routeOf, serviceOf, split, templateOf } from './shop.ts';

export interface SeedOptions {
  readonly replicas: number;
  /** Of each Deployment: the present one, and former ones at 0. */
  readonly sets: number;
  readonly interval: string;
  readonly report: (text: string) => void;
}

const WIDTH = 32;

/**
 * Writes a cluster's worth of shops as controllers would have left them: Deployments with their sets, pods and slices, all
 * with status. No controller runs, so nothing but the contender moves afterwards.
 */
export async function seedShops(rig: Rig, keys: readonly string[], options: SeedOptions): Promise<void> {
  for (const name of namespacesOf(keys)) await rig.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  let made = 0;
  await inParallel(keys, WIDTH, async (key, index) => {
    await seedShop(rig, key, index * options.replicas, options);
    made += 1;
    if (made % 100 === 0) options.report(`${made} of ${keys.length} shops are written`);
  });
}

async function seedShop(
  rig: Rig,
  key: string,
  firstAddress: number,
  { replicas, sets, interval }: SeedOptions,
): Promise<void> {
  const create = <T extends KubeObject>(resource: Resource<T>, object: Manifest): Promise<Manifest> =>
    rig.client.create(resource, object, { signal: rig.signal, deadlineMs: 60_000 });
  const setStatus = (resource: Resource, { metadata: { namespace, name } }: Manifest, status: object) =>
    rig.client.patch(
      resource,
      { namespace, name },
      { merge: { status } },
      { signal: rig.signal, deadlineMs: 60_000, subresource: 'status' },
    );
  const deployment = await create(deployments, deploymentOf(key, replicas));
  const counts = { replicas, readyReplicas: replicas, availableReplicas: replicas, observedGeneration: 1 };
  await setStatus(deployments, deployment, { ...counts, updatedReplicas: replicas });
  for (let age = sets - 1; age >= 0; age--) {
    const set = await create(replicaSets, setOf(key, deployment, age, age === 0 ? replicas : 0, sets));
    if (age > 0) continue;
    await setStatus(replicaSets, set, { ...counts, fullyLabeledReplicas: replicas });
    for (let i = 0; i < replicas; i++) {
      const pod = await create(pods, podOf(set, i));
      await setStatus(pods, pod, runningStatus(addressOf(firstAddress + i), new Date().toISOString()));
    }
  }
  await create(services, serviceOf(key));
  await create(endpointSlices, sliceOf(key, firstAddress, replicas));
  await create<HTTPRoute>(httpRoutes, routeOf(key));
  await create(rolloutsResource, rolloutOf(key, interval));
}

/** `age` 0 is the present revision. */
const hashOf = (age: number): string => `bench${'bcdfghjkl'.charAt(age)}2456`;

function setOf(key: string, deployment: Manifest, age: number, replicas: number, sets: number): Manifest {
  const { namespace, name } = split(key);
  const template = templateOf(name, age === 0 ? 'first' : `former-${age}`);
  const labels = { app: name, 'pod-template-hash': hashOf(age) };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      namespace,
      name: `${name}-${hashOf(age)}`,
      labels,
      annotations: { 'deployment.kubernetes.io/revision': `${sets - age}` },
      ownerReferences: [ownedBy(deployment, 'Deployment')],
    },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

function podOf(set: Manifest, index: number): Manifest {
  const { namespace, name } = set.metadata;
  const { metadata, spec } = set.spec.template;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, namespace, name: `${name}-pod${index}`, ownerReferences: [ownedBy(set, 'ReplicaSet')] },
    spec,
  };
}

function sliceOf(key: string, firstAddress: number, replicas: number): Manifest {
  const { namespace, name } = split(key);
  const endpoints = Array.from({ length: replicas }, (_, i) => ({
    addresses: [addressOf(firstAddress + i)],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: 'Pod', namespace, name: `${name}-${hashOf(0)}-pod${i}` },
  }));
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name: `${name}-slice`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  };
}

const ownedBy = ({ metadata: { name, uid } }: Manifest, kind: string) => ({
  apiVersion: 'apps/v1',
  kind,
  name,
  uid,
  controller: true,
  blockOwnerDeletion: true,
});
