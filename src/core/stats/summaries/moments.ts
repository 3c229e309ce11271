import { requireCount, requireFinite, requireNonNegative, statsError } from '../errors.ts';

/** Count, mean and sum of squared distances from the mean: mergeable, and stable however far the mean is from 0 (§2.1). */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  readonly m2: number;
}

/** What a test needs of an arm: units, their mean, and the variance of one unit. */
export interface ArmMean {
  readonly n: number;
  readonly mean: number;
  readonly variance: number;
}

/** Moments of no value yet. */
export const noMoments: Moments = { n: 0, mean: 0, m2: 0 };

/** One more value (Welford 1962). */
export function addValue(moments: Moments, value: number): Moments {
  const n = moments.n + 1;
  const distance = requireFinite('value', value) - moments.mean;
  const mean = moments.mean + distance / n;
  return { n, mean, m2: moments.m2 + distance * (value - mean) };
}

/** The moments of values. */
export function momentsOf(values: Iterable<number>): Moments {
  let moments = noMoments;
  for (const value of values) moments = addValue(moments, value);
  return moments;
}

/** Both parts as one (Chan, Golub, LeVeque 1979): associative and commutative but for rounding. */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const distance = b.mean - a.mean;
  return {
    n,
    mean: a.mean + distance * (b.n / n),
    m2: a.m2 + b.m2 + distance * distance * a.n * (b.n / n),
  };
}

/**
 * From a count, Σ y and Σ y², as a warehouse returns them. With a `shift` K the sums are of y − K: choose K near the mean
 * when it is large against the spread, else Σ y² − n·mean² cancels (trap 6). Sums that cannot belong together throw.
 */
export function momentsOfSums(sums: {
  readonly n: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly shift?: number;
}): Moments {
  const { n, sum, sumOfSquares, shift = 0 } = sums;
  requireFinite('sum', sum);
  requireNonNegative('sumOfSquares', sumOfSquares);
  if (requireCount('n', n) === 0) return noMoments;
  const m2 = sumOfSquares - (sum * sum) / n;
  if (m2 < -1e-9 * sumOfSquares) {
    throw statsError('SLUICE_STATS_ARGUMENT', `a sum of squares ${sumOfSquares} is too small for the sum ${sum}`, {
      n,
    });
  }
  return { n, mean: requireFinite('shift', shift) + sum / n, m2: Math.max(0, m2) };
}

/** The sample variance (divisor n − 1). Throws SLUICE_STATS_TOO_FEW below 2 values. */
export function varianceOf({ n, m2 }: Moments): number {
  if (n < 2) throw statsError('SLUICE_STATS_TOO_FEW', `a variance needs 2 values, not ${n}`, { n, needed: 2 });
  return m2 / (n - 1);
}

/** An arm of numeric units: variance with divisor n − 1. */
export function armMean(moments: Moments): ArmMean {
  return { n: moments.n, mean: moments.mean, variance: varianceOf(moments) };
}

/** An arm of yes-or-no units: variance p (1 − p), without n/(n − 1), as all peers count it. */
export function armProportion(successes: number, n: number): ArmMean {
  requireCount('successes', successes);
  if (requireCount('n', n) === 0) throw statsError('SLUICE_STATS_TOO_FEW', 'an arm needs a unit', { n, needed: 1 });
  if (successes > n) {
    throw statsError('SLUICE_STATS_ARGUMENT', `${successes} successes of ${n} units`, { successes, n });
  }
  const share = successes / n;
  return { n, mean: share, variance: share * (1 - share) };
}
