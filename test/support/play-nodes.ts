import { sleep, systemClock } from '../../src/base/clock.ts';
import { SluiceError } from '../../src/base/errors.ts';
import { httpRoutes, type Pod, pods } from '../../src/kube/builtins.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeObject, Resource } from '../../src/kube/resource.ts';
import type { Manifest } from './manifests.ts';

const EVERY_MS = 50;
const NODE = 'played';
const nodes: Resource<KubeObject> = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };

/**
 * Plays what a control plane without nodes lacks, until `signal` aborts: every pod is bound to a node, gets an address and is
 * ready, or is gone when it was deleted; and every HTTPRoute is taken in by its gateway at once.
 */
export async function playNodeAndGateway(client: KubeClient, signal: AbortSignal): Promise<void> {
  await client.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } }, { signal });
  const addresses = new Map<string, string>();
  while (!signal.aborted) {
    try {
      await beat(client, signal);
      for (const pod of (await client.list(pods, {}, { signal })).items) await play(client, pod, addresses, signal);
      for (const route of (await client.list(httpRoutes, {}, { signal })).items)
        await takeIn(client, route as Manifest, signal);
      await sleep(systemClock, EVERY_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof SluiceError)) throw error; // a pod or route that went, or changed, is looked at again
    }
  }
}

/** Without a heartbeat the node's pods would be taken for lost after 40 s. */
async function beat(client: KubeClient, signal: AbortSignal): Promise<void> {
  const lastHeartbeatTime = new Date().toISOString();
  const conditions = [{ type: 'Ready', status: 'True', reason: 'Played', message: '', lastHeartbeatTime }];
  await client.patch(nodes, { name: NODE }, { merge: { status: { conditions } } }, { signal, subresource: 'status' });
}

async function play(client: KubeClient, pod: Pod, addresses: Map<string, string>, signal: AbortSignal): Promise<void> {
  const { namespace = '', name, uid = '', deletionTimestamp } = pod.metadata;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  if (deletionTimestamp !== undefined) {
    await client.raw({ method: 'DELETE', path, query: { gracePeriodSeconds: 0 } }, { signal });
    return;
  }
  if (pod.status?.podIP !== undefined) return;
  if (pod.spec?.nodeName === undefined) {
    const target = { apiVersion: 'v1', kind: 'Node', name: NODE };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target };
    await client.raw({ method: 'POST', path: `${path}/binding`, body }, { signal });
  }
  const podIP = addresses.get(uid) ?? `198.19.0.${addresses.size + 1}`;
  addresses.set(uid, podIP);
  const lastTransitionTime = new Date().toISOString();
  const conditions = ['PodScheduled', 'Ready', 'ContainersReady', 'Initialized'].map((type) => ({
    type,
    status: 'True',
    lastTransitionTime,
  }));
  const status = { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions };
  await client.patch(pods, { namespace, name }, { merge: { status } }, { signal, subresource: 'status' });
}

async function takeIn(client: KubeClient, route: Manifest, signal: AbortSignal): Promise<void> {
  const { namespace, name, generation } = route.metadata;
  const known = route.status?.parents?.[0]?.conditions?.[0]?.observedGeneration;
  if (known === generation) return;
  const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({
    type,
    status: 'True',
    reason: type,
    message: '',
    observedGeneration: generation,
    lastTransitionTime: new Date().toISOString(),
  }));
  const parents = route.spec.parentRefs.map((parentRef: Manifest) => ({
    parentRef,
    controllerName: 'test.sluice.dev/gateway',
    conditions,
  }));
  await client.patch(
    httpRoutes,
    { namespace, name },
    { merge: { status: { parents } } },
    { signal, subresource: 'status' },
  );
}
