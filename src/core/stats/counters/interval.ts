import type { DurationMs } from '../../../base/units.ts';
import { requireNonNegative, statsError } from '../errors.ts';

/** What both arms did in one poll interval: differences of raw counters (never `rate()`, which extrapolates and overlaps). */
export interface CounterInterval {
  readonly canaryErrors: number;
  readonly stableErrors: number;
  readonly canaryRequests: number;
  readonly stableRequests: number;
  readonly duration: DurationMs;
}

/** Throws SLUICE_STATS_ARGUMENT for NaN, infinite or negative numbers and for errors without requests. */
export function requireInterval(interval: CounterInterval): CounterInterval {
  for (const [name, value] of Object.entries(interval)) requireNonNegative(name, value);
  const { canaryErrors, stableErrors, canaryRequests, stableRequests } = interval;
  if ((canaryErrors > 0 && canaryRequests === 0) || (stableErrors > 0 && stableRequests === 0)) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'an interval has errors but no requests');
  }
  return interval;
}
