import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds, residentMb } from './child.ts';
import { quantilesOf } from './figure.ts';
import type { Rig } from './rig.ts';
import type { Sluice } from './sluice.ts';

export interface Polling {
  readonly seconds: number;
  /** Instants of any rollout's schedule at which its question was not asked. */
  readonly missed: number;
  readonly asked: number;
  /** From the instant to the answer. */
  readonly latenessP99Ms: number;
  /** Of one core. */
  readonly cores: number;
  readonly residentMb: number;
}

/** Counts what is asked about rollouts in flight over `seconds`, against what their schedules say. */
export async function measurePolling(rig: Rig, sluice: Sluice, intervalMs: number, seconds: number): Promise<Polling> {
  const instants = new Map(sluice.keys.map((key) => [key, new Set<number>()]));
  const latenessMs: number[] = [];
  const end = rig.prometheus.onAnswer(({ key, instantMs, atMs }) => {
    if (instantMs === undefined) return;
    instants.get(key)?.add(instantMs);
    latenessMs.push(performance.timeOrigin + atMs - instantMs);
  });
  const [fromMs, cpuBefore] = [Date.now(), cpuOf(sluice)];
  await delay(seconds * 1000, undefined, { signal: rig.signal });
  const cpu = cpuOf(sluice) - cpuBefore;
  const toMs = Date.now();
  await delay(intervalMs, undefined, { signal: rig.signal }); // what is due at the end may still be asked
  end();
  const missed = [...instants.values()].map((seen) => missedOf(seen, intervalMs, fromMs, toMs));
  return {
    seconds,
    missed: missed.reduce((sum, one) => sum + one, 0),
    asked: latenessMs.length,
    latenessP99Ms: quantilesOf(latenessMs).p99,
    cores: cpu / seconds,
    residentMb: sluice.pids.reduce((sum, pid) => sum + residentMb(pid).now, 0),
  };
}

/** Instants within [from, to) of the schedule that these instants are of; all of them where none was seen. */
export function missedOf(seen: ReadonlySet<number>, intervalMs: number, fromMs: number, toMs: number): number {
  const [any] = seen;
  if (any === undefined) return Math.floor((toMs - fromMs) / intervalMs);
  let missed = 0;
  const first = any - Math.floor((any - fromMs) / intervalMs) * intervalMs; // the first that is not before `fromMs`
  for (let instant = first; instant < toMs; instant += intervalMs) if (!seen.has(instant)) missed += 1;
  return missed;
}

const cpuOf = ({ pids }: Sluice): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
