import { requireProbability, requireSorted, statsError } from '../errors.ts';
import { betaBinomialBound, betaBinomialMixture } from './beta-binomial.ts';

export interface QuantilePlan {
  /** Which quantile, inside (0, 1). */
  readonly p: number;
  readonly alpha: number;
  /** Observations at which the sequence is tightest. */
  readonly plannedObservations: number;
}

/** How far the share of values at or below the true quantile may stray from p, in counts, at n observations. */
export interface RankMargin {
  readonly below: number;
  readonly above: number;
}

/** The rank margins of the two-sided beta-binomial mixture for one fixed quantile (Howard and Ramdas 2022, §2; §2.20). */
export function rankMargin(n: number, { p, alpha, plannedObservations }: QuantilePlan): RankMargin {
  requireProbability('p', p);
  const step = p * (1 - p);
  const bound = (g: number, h: number): number =>
    betaBinomialBound(betaBinomialMixture(g, h, step * plannedObservations, alpha), step * n, alpha);
  return { below: bound(1 - p, p), above: bound(p, 1 - p) };
}

/**
 * Confidence sequence for a quantile of independent observations, given **sorted**: valid at all sample sizes at once.
 * An end without a value is infinite.
 */
export function quantileSequence(sorted: readonly number[], plan: QuantilePlan): { lower: number; upper: number } {
  const n = sorted.length;
  if (n === 0) throw statsError('SLUICE_STATS_TOO_FEW', 'a quantile needs observations', { n });
  requireSorted(sorted);
  const { below, above } = rankMargin(n, plan);
  // Ranks are rounded outwards; the slack keeps a margin that takes all of n p from leaving a crumb.
  const slack = 1e-9 * n;
  const least = Math.ceil(n * plan.p - below - slack);
  const most = Math.floor(n * plan.p + above + slack) + 1;
  return {
    lower: least >= 1 ? (sorted[least - 1] as number) : Number.NEGATIVE_INFINITY,
    upper: sorted[most - 1] ?? Number.POSITIVE_INFINITY,
  };
}
