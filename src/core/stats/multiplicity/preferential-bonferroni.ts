import { requireCount, requireProbability, statsError } from '../errors.ts';

export interface PreferentialPlan {
  /** Two-sided, for the whole experiment. */
  readonly alpha: number;
  /** Treatment arms, each compared with control. */
  readonly comparisons: number;
  /** All metrics, the preferred one included. */
  readonly metrics: number;
  /** The part of alpha that the preferred metric gets, inside (0, 1). */
  readonly preference: number;
}

/** The level for each comparison: `γ α / k` for the preferred metric and `(1 − γ) α / (k (m − 1))` for each other (§2.14). */
export function preferentialBonferroni(plan: PreferentialPlan): { readonly preferred: number; readonly other: number } {
  const { alpha, comparisons, metrics, preference } = plan;
  requireProbability('alpha', alpha);
  requireProbability('preference', preference);
  if (requireCount('comparisons', comparisons) < 1 || requireCount('metrics', metrics) < 1) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'at least one comparison and one metric are needed');
  }
  // One metric has nobody to share with: it gets all.
  if (metrics === 1) return { preferred: alpha / comparisons, other: 0 };
  return {
    preferred: (preference * alpha) / comparisons,
    other: ((1 - preference) * alpha) / (comparisons * (metrics - 1)),
  };
}
