import type { Random } from './random.ts';
import type { DurationMs } from './units.ts';

export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * How long to wait before try number `attempt` (1 = the first retry): a uniform draw from the upper half of the doubling
 * bound, so that many clients spread out ("equal jitter") and none comes back at once.
 */
export function backoffMs(attempt: number, { firstMs, maxMs }: BackoffLimits, random: Random): DurationMs {
  const bound = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return (bound / 2 + (bound / 2) * random()) as DurationMs;
}
