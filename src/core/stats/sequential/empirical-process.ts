import { requirePositive, requireProbability } from '../errors.ts';
import { brent } from '../special/roots.ts';

export interface EmpiricalProcessPlan {
  readonly alpha: number;
  /** Observations before which nothing is claimed, ≥ 1. */
  readonly minObservations: number;
}

/** Leading factor: the value that Howard and Ramdas 2022 recommend; anything above 1/√2 works. */
const leading = 0.85;

/**
 * The distance that an empirical distribution function keeps from the true one, over all values and all times t from
 * `minObservations` on, with probability 1 − alpha (Howard and Ramdas 2022, Theorem 2; §2.20): A √((ln(1 + ln(t/m)) + C) / t).
 * Infinite before.
 */
export function empiricalProcessBound(observations: number, { alpha, minObservations }: EmpiricalProcessPlan): number {
  requirePositive('observations', observations);
  requirePositive('minObservations', minObservations);
  if (observations < minObservations) return Number.POSITIVE_INFINITY;
  const constant = levelConstant(requireProbability('alpha', alpha));
  return leading * Math.sqrt((Math.log1p(Math.log(observations / minObservations)) + constant) / observations);
}

/** The C whose error, at the best epoch ratio, is alpha. */
function levelConstant(alpha: number): number {
  const logExcess = (constant: number): number => smallestLogError(constant) - Math.log(alpha);
  return brent(logExcess, 1, 2_000, { tolerance: 1e-12 });
}

/** ln of the error 4 exp(−γ² C) (1 + 1 / ((γ² − 1) ln η)), least over the epoch ratio η, with γ² = (2/η) (A − √(2 (η − 1) / C))². */
function smallestLogError(constant: number): number {
  const logError = (ratio: number): number => {
    const slack = leading - Math.sqrt((2 * (ratio - 1)) / constant);
    const gammaSquared = (2 / ratio) * slack * slack;
    if (slack <= 0 || gammaSquared <= 1) return Number.POSITIVE_INFINITY;
    return Math.log(4) - gammaSquared * constant + Math.log1p(1 / ((gammaSquared - 1) * Math.log(ratio)));
  };
  // γ² > 1 holds up to a ratio below 2 A²; there it is exactly 1.
  const gap = (ratio: number): number => Math.sqrt(ratio / 2) + Math.sqrt((2 * (ratio - 1)) / constant) - leading;
  const most = brent(gap, 1, 2 * leading * leading);
  return logError(goldenMinimum(logError, 1, most));
}

/** The place of the minimum of a function with one valley, by golden sections, to about √ε of its value. */
function goldenMinimum(f: (x: number) => number, lo: number, hi: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [lo, hi];
  let c = b - ratio * (b - a);
  let d = a + ratio * (b - a);
  for (let i = 0; i < 80; i++) {
    if (f(c) < f(d)) [b, d, c] = [d, c, d - ratio * (d - a)];
    else [a, c, d] = [c, d, c + ratio * (b - c)];
  }
  return (a + b) / 2;
}
