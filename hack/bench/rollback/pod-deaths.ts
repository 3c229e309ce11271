import type { EndpointSlice } from '../../../src/kube/builtins.ts';
import { endpointSlices, pods } from '../../../src/kube/builtins.ts';
import { setReady } from './kubelet.ts';
import type { Rig } from './rig.ts';
import { split } from './shop.ts';
import type { Sluice } from './sluice.ts';
import { WeightWatch } from './weight-watch.ts';

const PATIENCE_MS = 60_000;

/**
 * Lets all canary pods of each rollout fail their readiness probe, one rollout after the other. Answers milliseconds from the
 * moment in which a watch showed the EndpointSlice without a ready endpoint to the one in which a watch showed weight 0.
 */
export async function measurePodDeaths(rig: Rig, sluice: Sluice, keys: readonly string[]): Promise<number[]> {
  const slices = await WeightWatch.start<EndpointSlice>(rig.client, endpointSlices, readyShare);
  const tookMs: number[] = [];
  try {
    for (const key of keys) tookMs.push(await death(rig, sluice, slices, key));
  } finally {
    await slices.stop();
  }
  return tookMs;
}

async function death(rig: Rig, sluice: Sluice, slices: WeightWatch<EndpointSlice>, key: string): Promise<number> {
  const { namespace, name } = split(key);
  const hash = sluice.rollouts.canaryHashOf(key);
  const labelSelector = `app=${name},pod-template-hash=${hash}`;
  const { items } = await rig.client.list(pods, { namespace, labelSelector }, { signal: rig.signal });
  if (items.length === 0) throw new Error(`${key} has no canary pods`);
  const limit = AbortSignal.any([rig.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const zero = sluice.weights.reaches(key, (percent) => percent === 0, limit);
  const unready = slices.reaches(`${key}-canary`, (percent) => percent === 0, limit);
  await setReady(rig.client, items, false, limit);
  const [zeroMs, unreadyMs] = await Promise.all([zero, unready]);
  return zeroMs - unreadyMs;
}

/** Of the endpoints of a Service, as a percentage under the Service's key. */
function readyShare({ metadata, endpoints }: EndpointSlice): { key: string; percent: number } {
  const all = endpoints ?? [];
  const ready = all.filter(({ conditions }) => conditions?.ready !== false).length;
  const service = metadata.labels?.['kubernetes.io/service-name'] ?? '';
  return { key: `${metadata.namespace}/${service}`, percent: all.length === 0 ? 0 : (100 * ready) / all.length };
}
