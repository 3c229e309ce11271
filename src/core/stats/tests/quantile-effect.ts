import { requireCount, requireFinite, requirePositive, requireProbability, statsError } from '../errors.ts';
import { normalQuantileSf } from '../special/normal.ts';
import { covariance, type JointMoments, meanAt } from '../summaries/joint-moments.ts';
import { type EffectTest, type TestPlan, testEffect } from './effect-test.ts';

export interface QuantileEstimate {
  readonly value: number;
  readonly standardError: number;
}

/**
 * 1-based ranks of the order statistics that enclose the p quantile of n independent values with probability 1 − alpha
 * (Deng, Knoblich, Lu 2018 §4.2; §2.8). Throws SLUICE_STATS_TOO_FEW while they would fall outside the sample.
 */
export function outerRanks(n: number, p: number, alpha: number): { readonly lower: number; readonly upper: number } {
  requireCount('n', n);
  requireProbability('p', p);
  const z = normalQuantileSf(requireProbability('alpha', alpha) / 2);
  const needed = z * z * Math.max(p / (1 - p), (1 - p) / p);
  if (!(n > needed)) {
    throw statsError(
      'SLUICE_STATS_TOO_FEW',
      `the ${p} quantile needs more than ${Math.ceil(needed)} values, not ${n}`,
      {
        n,
        needed: Math.ceil(needed),
      },
    );
  }
  const reach = z * Math.sqrt((p * (1 - p)) / n);
  return { lower: Math.max(1, Math.floor(n * (p - reach))), upper: Math.min(n, Math.ceil(n * (p + reach))) };
}

/**
 * Quantile of independent values (ascending) with the standard error that its outer ranks imply. Equal outer values, as
 * discrete data give them, are not a standard error of 0: SLUICE_STATS_NO_VARIANCE ("not resolvable").
 */
export function quantileOfSorted(sorted: readonly number[], p: number, alpha: number): QuantileEstimate {
  const { lower, upper } = outerRanks(sorted.length, p, alpha);
  const value = sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] as number;
  const limits = { lower: sorted[lower - 1] as number, upper: sorted[upper - 1] as number };
  return { value: requireFinite('value', value), standardError: standardErrorOf(limits, alpha) };
}

function standardErrorOf(limits: { readonly lower: number; readonly upper: number }, alpha: number): number {
  const width = requireFinite('upper', limits.upper) - requireFinite('lower', limits.lower);
  if (width < 0) throw statsError('SLUICE_STATS_ARGUMENT', 'the upper value is below the lower one', limits);
  if (width === 0) {
    throw statsError(
      'SLUICE_STATS_NO_VARIANCE',
      'the quantile is not resolvable: its limits are the same value',
      limits,
    );
  }
  return width / (2 * normalQuantileSf(alpha / 2));
}

export interface ClusteredQuantile {
  readonly p: number;
  readonly value: number;
  /** Values at the outer ranks, as if `rankedAt` values had been independent. */
  readonly lower: number;
  readonly upper: number;
  /** The sample size for which the outer ranks were computed; the number of values itself unless a grid was used. */
  readonly rankedAt: number;
  /** Per unit: value 0 = how many of its values are at or below `value`, value 1 = how many values it has. */
  readonly counts: JointMoments;
}

/** Var of the share at or below the quantile, with units as clusters: the delta method on S / N (§2.8, step 3). */
export function clusteredShareVariance(counts: JointMoments): number {
  const mean = requirePositive('mean values per unit', meanAt(counts, 1));
  const share = meanAt(counts, 0) / mean;
  const spread =
    covariance(counts, 0, 0) - 2 * share * covariance(counts, 0, 1) + share ** 2 * covariance(counts, 1, 1);
  return Math.max(0, spread) / (counts.n * mean * mean);
}

/** Quantile of values that cluster in units (requests of users): the independent error, inflated by the clusters (step 4). */
export function clusteredQuantile(sample: ClusteredQuantile, alpha: number): QuantileEstimate {
  requireProbability('p', sample.p);
  const values = sample.counts.n * meanAt(sample.counts, 1);
  const independent = standardErrorOf(sample, requireProbability('alpha', alpha));
  const inflation = clusteredShareVariance(sample.counts) / ((sample.p * (1 - sample.p)) / values);
  // From the size of the ranks to the size at hand; (n − 1)/n as the peers count it.
  const rescale = (requirePositive('rankedAt', sample.rankedAt) / values) * (1 - 1 / values);
  if (inflation === 0) {
    throw statsError('SLUICE_STATS_NO_VARIANCE', 'every unit has the same share below the quantile', { p: sample.p });
  }
  const standardError = requireFinite('standardError', independent * Math.sqrt(rescale * inflation));
  return { value: requireFinite('value', sample.value), standardError };
}

/** Difference of the arms' quantiles, normal. */
export function quantileTest(treatment: QuantileEstimate, control: QuantileEstimate, plan: TestPlan): EffectTest {
  const standardError = Math.hypot(treatment.standardError, control.standardError);
  return testEffect({ estimate: treatment.value - control.value, standardError }, plan);
}
