import { requireCount, requireFinite, requireNonNegative, statsError } from '../errors.ts';
import type { ArmMean } from '../summaries/moments.ts';
import { type EffectTest, type TestPlan, testEffect } from './effect-test.ts';

/** Variance of an arm's mean. Throws SLUICE_STATS_TOO_FEW below 2 units. */
export function varianceOfMean({ n, mean, variance }: ArmMean): number {
  requireFinite('mean', mean);
  requireNonNegative('variance', variance);
  if (requireCount('n', n) < 2)
    throw statsError('SLUICE_STATS_TOO_FEW', `an arm needs 2 units, not ${n}`, { n, needed: 2 });
  return variance / n;
}

/** Welch-Satterthwaite degrees of freedom of a difference of means. Throws SLUICE_STATS_NO_VARIANCE when both are constant. */
export function welchDegreesOfFreedom(treatment: ArmMean, control: ArmMean): number {
  const ofTreatment = varianceOfMean(treatment);
  const ofControl = varianceOfMean(control);
  const total = ofTreatment + ofControl;
  if (total === 0) {
    throw statsError('SLUICE_STATS_NO_VARIANCE', 'all values of both arms are equal', { n: treatment.n + control.n });
  }
  // Shares first: fourth powers of a standard error under- or overflow.
  const [shareT, shareC] = [ofTreatment / total, ofControl / total];
  return 1 / (shareT ** 2 / (treatment.n - 1) + shareC ** 2 / (control.n - 1));
}

/** Difference of means, treatment less control, by Welch's t (Welch 1947; §2.2). `nullEffect` shifts the null (a margin). */
export function welchTest(treatment: ArmMean, control: ArmMean, plan: TestPlan, nullEffect = 0): EffectTest {
  const df = welchDegreesOfFreedom(treatment, control);
  const standardError = Math.sqrt(varianceOfMean(treatment) + varianceOfMean(control));
  return testEffect({ estimate: treatment.mean - control.mean, standardError, df }, plan, nullEffect);
}
