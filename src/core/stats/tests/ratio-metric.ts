import { requireFinite, statsError } from '../errors.ts';
import { covariance, type JointMoments, meanAt } from '../summaries/joint-moments.ts';
import type { ArmMean } from '../summaries/moments.ts';

/**
 * A ratio of two totals per unit (clicks / sessions) as an arm mean: R = mean(num) / mean(den), with the variance of one unit
 * by the delta method (Deng, Knoblich, Lu 2018; §2.5). n counts the units that were randomised, never sessions or requests
 * (trap 13). Values 0 and 1 of the moments are numerator and denominator. Throws SLUICE_STATS_BASELINE unless the mean
 * denominator is positive.
 */
export function ratioArm(moments: JointMoments): ArmMean {
  const base = meanAt(moments, 1);
  if (!(base > 0)) {
    throw statsError('SLUICE_STATS_BASELINE', `a ratio needs a positive mean denominator, not ${base}`, { base });
  }
  const ratio = meanAt(moments, 0) / base;
  const spread =
    covariance(moments, 0, 0) - 2 * ratio * covariance(moments, 0, 1) + ratio * ratio * covariance(moments, 1, 1);
  return { n: moments.n, mean: ratio, variance: requireFinite('variance', Math.max(0, spread) / (base * base)) };
}
