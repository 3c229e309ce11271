import { createHash } from 'node:crypto';
import type { DurationMs, EpochMs } from '../base/units.ts';

/** When one question is asked: at every instant that is `phaseMs` after a multiple of `intervalMs` since 1970. */
export interface Schedule {
  readonly phaseMs: DurationMs;
  readonly intervalMs: DurationMs;
}

/**
 * The schedule of a question. Its phase comes from a hash of provider and text: different questions spread over the
 * interval, equal ones coincide and can be shared, in every replica and after every restart. The interval is not hashed, so
 * that a question asked every 10 s coincides with each third of the same one asked every 30 s.
 */
export function scheduleOf(provider: string, text: string, intervalMs: DurationMs): Schedule {
  if (!Number.isSafeInteger(intervalMs) || intervalMs <= 0) throw new Error(`an interval of ${intervalMs} ms is none`);
  const hash = createHash('sha256')
    .update(JSON.stringify([provider, text]))
    .digest();
  return { phaseMs: (hash.readUIntBE(0, 6) % intervalMs) as DurationMs, intervalMs };
}

/** The last instant of the schedule that is not after `now`: the instant to ask for. Missed ones are not made up for. */
export function latestDue({ phaseMs, intervalMs }: Schedule, now: EpochMs): EpochMs {
  return (Math.floor((now - phaseMs) / intervalMs) * intervalMs + phaseMs) as EpochMs;
}

/** The first instant of the schedule after `now`: when to look again. Lateness never moves it, so there is no drift. */
export function nextDue(schedule: Schedule, now: EpochMs): EpochMs {
  return (latestDue(schedule, now) + schedule.intervalMs) as EpochMs;
}

/** The timeout that was set, but at most the interval, so that a question is over before it is asked again. */
export function timeoutOf({ intervalMs }: Schedule, setMs: DurationMs): DurationMs {
  return Math.min(intervalMs, setMs) as DurationMs;
}
