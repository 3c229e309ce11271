import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { type Pod, pods } from '../../../src/kube/builtins.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { Informer } from '../../../src/kube/informer.ts';

/** Pods name this node in their template, so that nobody has to schedule them. */
export const NODE_NAME = 'bench-node';
const RETRY_MS = 200;

/** Makes every new pod Running and Ready within one write. Pods end by themselves: their grace period is 0. */
export async function startKubelet(client: KubeClient, signal: AbortSignal): Promise<{ stop(): Promise<void> }> {
  let address = 0;
  const informer = new Informer<Pod>(
    { client, clock: systemClock, random: Math.random, logger: silent },
    { resource: pods },
  );
  const begin = async ({ metadata: { namespace, name } }: Pod, podIP: string) => {
    const merge = { status: runningStatus(podIP, new Date().toISOString()) };
    await client.patch(pods, { namespace, name }, { merge }, { signal, subresource: 'status' });
  };
  const beginUntilDone = (pod: Pod, podIP: string): void => {
    begin(pod, podIP).catch(() => {
      const present = informer.cache.get(pod.metadata);
      if (!signal.aborted && present?.metadata.uid === pod.metadata.uid)
        setTimeout(() => beginUntilDone(pod, podIP), RETRY_MS);
    });
  };
  informer.onChange((change) => {
    if (change.type === 'added' && change.after.status?.phase === 'Pending')
      beginUntilDone(change.after, addressOf(address++));
  });
  informer.start();
  await informer.synced;
  return informer;
}

/** Sets the Ready condition of these pods, as a failing probe does. */
export async function setReady(
  client: KubeClient,
  those: readonly Pod[],
  ready: boolean,
  signal: AbortSignal,
): Promise<void> {
  const now = new Date().toISOString();
  await Promise.all(
    those.map(({ metadata: { namespace, name } }) =>
      client.patch(
        pods,
        { namespace, name },
        { merge: { status: { conditions: conditions(ready, now) } } },
        { signal, subresource: 'status' },
      ),
    ),
  );
}

/** Status of a pod that has started and serves. */
export function runningStatus(podIP: string, now: string): object {
  const container = {
    name: 'app',
    image: 'shop:v1',
    imageID: `shop@sha256:${'0'.repeat(64)}`,
    containerID: `containerd://${'0'.repeat(64)}`,
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: now } },
  };
  return {
    phase: 'Running',
    hostIP: '198.18.127.1',
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: now,
    conditions: conditions(true, now),
    containerStatuses: [container],
  };
}

const conditions = (ready: boolean, lastTransitionTime: string): object[] =>
  ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
    type,
    status: ready || type === 'PodScheduled' || type === 'Initialized' ? 'True' : 'False',
    lastTransitionTime,
  }));

/** One of the 30,000 addresses below the Services' range, which nobody ever calls. */
export const addressOf = (index: number): string => `198.18.${Math.floor(index / 250) % 120}.${(index % 250) + 1}`;
