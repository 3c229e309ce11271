import { availableParallelism, cpus, loadavg } from 'node:os';

/** Repetitions, of which the median counts: one slow moment of a shared machine decides nothing. */
export const repetitions = 15;
/** A repetition lasts at least this long, so that the clock's steps do not show. */
export const repetitionMs = 20;

/** What every line says about where it was measured. */
export const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  /** Runnable processes over the last minute, at the start: above the cores, times say more about the neighbours. */
  load: loadavg()[0],
  node: process.version,
};

/** Median microseconds a call of `once`, which makes `calls` of them; warmed up by finding how many rounds fill a repetition. */
export function microsecondsPerCall(once: () => unknown, calls: number): number {
  let rounds = 1;
  while (timeMs(once, rounds) < repetitionMs) rounds *= 2;
  const times = Array.from({ length: repetitions }, () => timeMs(once, rounds)).sort((a, b) => a - b);
  return ((times[repetitions >> 1] as number) * 1000) / (rounds * calls);
}

function timeMs(once: () => unknown, rounds: number): number {
  const start = performance.now();
  for (let i = 0; i < rounds; i++) once();
  return performance.now() - start;
}
