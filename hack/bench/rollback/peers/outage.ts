import { setTimeout as delay } from 'node:timers/promises';
import type { Contender } from '../contender.ts';
import type { Rig } from '../rig.ts';

/** What became of healthy canaries while the metric source refused connections. */
export interface OutageResult {
  readonly outageS: number;
  readonly canaries: number;
  readonly rolledBack: number;
  /** Seconds from the refusal to the first and to the last weight 0; null when there was none. */
  readonly firstS: number | null;
  readonly lastS: number | null;
  /** Of those, how many had traffic again within `watchedS` of the source being back. */
  readonly resumed: number;
  readonly watchedS: number;
}

const OUTAGE_S = 90;
const WATCHED_S = 30;

/** Brings all rollouts into flight, lets the source refuse for 90 s, and watches for 30 s more. */
export async function measureOutage(rig: Rig, { keys, weights, launch }: Contender): Promise<OutageResult> {
  const { prometheus, signal } = rig;
  await launch(
    keys.filter((key) => weights.percentOf(key) === 0),
    signal,
  );
  await delay(3_000, undefined, { signal }); // for the first measurements, which are good
  const refusedAtMs = performance.now();
  await prometheus.refuse();
  const over = AbortSignal.timeout(OUTAGE_S * 1000);
  const zeros = await Promise.all(
    keys.map((key) =>
      weights.reaches(key, (percent) => percent === 0, AbortSignal.any([signal, over])).catch(() => undefined),
    ),
  );
  if (!over.aborted) await delay(OUTAGE_S * 1000 - (performance.now() - refusedAtMs), undefined, { signal });
  signal.throwIfAborted();
  await prometheus.accept();
  await delay(WATCHED_S * 1000, undefined, { signal });
  const afterS = zeros.filter((ms) => ms !== undefined).map((ms) => Math.round((ms - refusedAtMs) / 100) / 10);
  return {
    outageS: OUTAGE_S,
    canaries: keys.length,
    rolledBack: afterS.length,
    firstS: afterS.length === 0 ? null : Math.min(...afterS),
    lastS: afterS.length === 0 ? null : Math.max(...afterS),
    resumed: keys.filter((key, i) => zeros[i] !== undefined && weights.percentOf(key) > 0).length,
    watchedS: WATCHED_S,
  };
}
