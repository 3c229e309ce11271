import { requireProbability, statsError } from '../errors.ts';
import { normalQuantileSf } from '../special/normal.ts';
import type { ArmMean } from '../summaries/moments.ts';
import { type EffectTest, type TestPlan, testEffect } from './effect-test.ts';
import { varianceOfMean, welchDegreesOfFreedom } from './welch.ts';

/**
 * Relative lift (treatment − control) / |control| by the delta method with Welch's degrees of freedom (§2.4 a): for display
 * at a fixed horizon, never for looks along the way (finding 1, trap 1). Throws SLUICE_STATS_BASELINE unless the control
 * mean is at least four standard errors from 0, below which the linearisation says nothing.
 */
export function relativeDeltaTest(treatment: ArmMean, control: ArmMean, plan: TestPlan): EffectTest {
  const df = welchDegreesOfFreedom(treatment, control);
  const [ofTreatment, ofControl] = [varianceOfMean(treatment), varianceOfMean(control)];
  const base = control.mean ** 2;
  if (!(base > 16 * ofControl)) {
    throw statsError('SLUICE_STATS_BASELINE', 'the control mean is within four standard errors of 0', {
      mean: control.mean,
    });
  }
  const variance = relativeVariance(treatment, control);
  if (variance === 0) throw statsError('SLUICE_STATS_NO_VARIANCE', 'the lift has no variance', { ofTreatment });
  const estimate = (treatment.mean - control.mean) / Math.abs(control.mean);
  return testEffect({ estimate, standardError: Math.sqrt(variance), df }, plan);
}

/** Variance of treatment/control by the delta method: v_t / m_c² + v_c m_t² / m_c⁴ with v the variance of an arm's mean. */
export function relativeVariance(treatment: ArmMean, control: ArmMean): number {
  const ratio = treatment.mean / control.mean;
  return (varianceOfMean(treatment) + ratio * ratio * varianceOfMean(control)) / control.mean ** 2;
}

/**
 * ln(treatment / control) (§2.4 b): the default decision scale of positive metrics. `Math.expm1` of estimate and limits is the
 * relative lift to show. Throws SLUICE_STATS_BASELINE unless both means are positive.
 */
export function logRatioTest(treatment: ArmMean, control: ArmMean, plan: TestPlan, nullLogRatio = 0): EffectTest {
  for (const { mean } of [treatment, control]) {
    if (!(mean > 0))
      throw statsError('SLUICE_STATS_BASELINE', `a log ratio needs positive means, not ${mean}`, { mean });
  }
  const variance = varianceOfMean(treatment) / treatment.mean ** 2 + varianceOfMean(control) / control.mean ** 2;
  if (variance === 0) {
    throw statsError('SLUICE_STATS_NO_VARIANCE', 'all values of both arms are equal', { n: treatment.n + control.n });
  }
  const estimate = Math.log(treatment.mean / control.mean);
  return testEffect({ estimate, standardError: Math.sqrt(variance) }, plan, nullLogRatio);
}

export interface Limits {
  readonly lower: number;
  readonly upper: number;
}

/**
 * Fieller's limits of the relative lift (treatment − control) / |control| (Fieller 1954; §2.4 c), exact for normal means of
 * independent arms. (−Infinity, Infinity) when the control mean is not significantly different from 0: the true set is then
 * unbounded. Two-sided, normal quantile.
 */
export function fiellerLimits(treatment: ArmMean, control: ArmMean, alpha: number): Limits {
  const z = normalQuantileSf(requireProbability('alpha', alpha) / 2);
  const [ofTreatment, ofControl] = [varianceOfMean(treatment), varianceOfMean(control)];
  const g = control.mean === 0 ? Number.POSITIVE_INFINITY : ((z * ofControl) / control.mean / control.mean) * z;
  const ratio = treatment.mean / control.mean;
  if (!(g < 1) || !Number.isFinite(ratio)) return { lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY };
  const size = Math.abs(control.mean);
  const reach = (z * Math.hypot(Math.sqrt(ofTreatment * (1 - g)), ratio * Math.sqrt(ofControl))) / size;
  const [low, high] = [(ratio - reach) / (1 - g) - 1, (ratio + reach) / (1 - g) - 1];
  return control.mean > 0 ? { lower: low, upper: high } : { lower: -high, upper: -low };
}
