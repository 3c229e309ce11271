import { setTimeout as delay } from 'node:timers/promises';
import type { Contender } from './contender.ts';
import type { Rig } from './rig.ts';

export interface BreachOptions {
  /** At least so many in all. */
  readonly breaches: number;
  /** So many within `spreadMs`, at random moments; then those are launched anew. */
  readonly together: number;
  readonly spreadMs: number;
  /** How long one may take before the benchmark gives up. */
  readonly patienceMs: number;
  readonly random: () => number;
  readonly report: (text: string) => void;
}

/** One breach. Times in milliseconds. */
export interface Breach {
  readonly key: string;
  /** From the moment in which a query would show the bad sample to weight 0 seen by a watch. */
  readonly visibleToZeroMs: number;
  /** From the provider's first bad answer being written to weight 0 seen by a watch. */
  readonly answerToZeroMs: number;
}

/**
 * Rounds of breaches: all rollouts are in flight, some turn bad at random moments of a short time, and each is timed. All
 * clocks are those of this process: the metric source and the watch live in it.
 */
export async function measureBreaches(rig: Rig, contender: Contender, options: BreachOptions): Promise<Breach[]> {
  const { breaches: wanted, together, random, report } = options;
  await contender.launch(contender.keys, rig.signal);
  const done: Breach[] = [];
  for (let round = 1; done.length < wanted; round++) {
    const chosen = pick(contender.keys, Math.min(together, wanted - done.length), random);
    done.push(...(await Promise.all(chosen.map((key) => breach(rig, contender, key, options)))));
    report(`round ${round}: ${done.length} of ${wanted} breaches`);
    for (const key of chosen) rig.prometheus.setBad(key, false);
    if (done.length < wanted) await contender.launch(chosen, rig.signal);
  }
  return done;
}

/** Turns one rollout's metric bad at a random moment and waits for weight 0. */
async function breach(
  { prometheus, signal }: Rig,
  { weights }: Contender,
  key: string,
  { spreadMs, patienceMs, random }: BreachOptions,
): Promise<Breach> {
  await delay(spreadMs * random(), undefined, { signal });
  if (weights.percentOf(key) === 0) throw new Error(`${key} left its weight before its metric was bad`);
  let firstBadMs: number | undefined;
  const end = prometheus.onAnswer((answered) => {
    if (answered.key === key && answered.bad) firstBadMs ??= answered.atMs;
  });
  const visibleMs = performance.now();
  prometheus.setBad(key, true);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  const zeroMs = await weights.reaches(key, (percent) => percent === 0, limit).finally(end);
  if (firstBadMs === undefined) throw new Error(`${key} was taken back without having seen a bad answer`);
  return { key, visibleToZeroMs: zeroMs - visibleMs, answerToZeroMs: zeroMs - firstBadMs };
}

/** So many different ones, in random order (Fisher and Yates). */
function pick<T>(from: readonly T[], count: number, random: () => number): T[] {
  const all = [...from];
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(random() * (all.length - i));
    [all[i], all[j]] = [all[j] as T, all[i] as T];
  }
  return all.slice(0, count);
}
