import { requireProbability, requireSorted, statsError } from '../errors.ts';
import { type BetaBinomialMixture, betaBinomialLogMixture, betaBinomialMixture } from './beta-binomial.ts';
import type { QuantilePlan } from './quantile-sequence.ts';

/**
 * Always-valid evidence that the p-quantiles of two arms differ (Howard and Ramdas 2022, §5; §2.20): for each value x that both
 * quantiles could share, the arms' mixtures multiply; the weakest product over x is an e-process for equality. Observations
 * are independent and sorted inside each arm. Returns ln E and min(1, 1 / E).
 */
export function compareQuantiles(
  first: readonly number[],
  second: readonly number[],
  plan: QuantilePlan,
): { readonly logE: number; readonly pValue: number } {
  const { p } = plan;
  requireProbability('p', p);
  const planned = p * (1 - p) * plan.plannedObservations;
  const mixture = betaBinomialMixture(p, 1 - p, planned, plan.alpha);
  const arms = [armCurve(first, mixture), armCurve(second, mixture)] as const;
  // Away from its own sample quantile each curve only rises, so the weakest product lies between the two. Between neighbouring
  // values the counts equal what either neighbour allows, so the values themselves suffice.
  const [from, to] = [Math.min(arms[0].quantile, arms[1].quantile), Math.max(arms[0].quantile, arms[1].quantile)];
  let logE = Number.POSITIVE_INFINITY;
  for (const values of [first, second]) {
    for (const value of values) {
      if (value >= from && value <= to) logE = Math.min(logE, arms[0].at(value) + arms[1].at(value));
    }
  }
  return { logE, pValue: Math.min(1, Math.exp(-logE)) };
}

interface ArmCurve {
  /** Where the curve is least. */
  readonly quantile: number;
  readonly at: (x: number) => number;
}

/** x → the least log mixture of an arm over the counts that a true quantile at x allows: between #(< x) and #(≤ x). */
function armCurve(sorted: readonly number[], mixture: BetaBinomialMixture): ArmCurve {
  const n = sorted.length;
  if (n === 0) throw statsError('SLUICE_STATS_TOO_FEW', 'each arm needs observations', { n });
  requireSorted(sorted);
  const { g: p, h } = mixture;
  const logMixture = (count: number): number => betaBinomialLogMixture(mixture, count - p * n, p * h * n);
  const best = leastAt(logMixture, n);
  const between = (low: number, high: number): number => Math.min(Math.max(best, low), high);
  return {
    quantile: sorted[Math.max(0, Math.ceil(best) - 1)] as number,
    at: (x) => {
      const low = countWhile(sorted, (value) => value < x);
      return logMixture(
        between(
          low,
          countWhile(sorted, (value) => value <= x),
        ),
      );
    },
  };
}

/** The count where a convex curve over [0, n] is least, by ternary sections. */
function leastAt(curve: (count: number) => number, n: number): number {
  let [lo, hi] = [0, n];
  for (let i = 0; i < 100; i++) {
    const [a, b] = [lo + (hi - lo) / 3, hi - (hi - lo) / 3];
    if (curve(a) < curve(b)) hi = b;
    else lo = a;
  }
  return (lo + hi) / 2;
}

/** How many leading values of a sorted list satisfy a claim that holds up to some place. */
function countWhile(sorted: readonly number[], claim: (value: number) => boolean): number {
  let [lo, hi] = [0, sorted.length];
  while (lo < hi) {
    const middle = (lo + hi) >> 1;
    if (claim(sorted[middle] as number)) lo = middle + 1;
    else hi = middle;
  }
  return lo;
}
