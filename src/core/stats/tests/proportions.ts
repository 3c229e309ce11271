import { requireCount, requireProbability, statsError } from '../errors.ts';
import { normalQuantileSf } from '../special/normal.ts';
import { type EffectTest, type TestPlan, testEffect } from './effect-test.ts';
import type { Limits } from './relative.ts';

/** Yes-or-no units of an arm. */
export interface Successes {
  readonly successes: number;
  readonly n: number;
}

function shareOf({ successes, n }: Successes): number {
  requireCount('successes', successes);
  if (requireCount('n', n) === 0) throw statsError('SLUICE_STATS_TOO_FEW', 'an arm needs a unit', { n, needed: 1 });
  if (successes > n) {
    throw statsError('SLUICE_STATS_ARGUMENT', `${successes} successes of ${n} units`, { successes, n });
  }
  return successes / n;
}

/**
 * z test of equal proportions with the pooled variance (§2.3); its limits are Wald's for that variance, so show
 * `proportionLimits` instead. Throws SLUICE_STATS_NO_VARIANCE when all units of both arms agree.
 */
export function pooledProportionTest(treatment: Successes, control: Successes, plan: TestPlan): EffectTest {
  const estimate = shareOf(treatment) - shareOf(control);
  const pooled = (treatment.successes + control.successes) / (treatment.n + control.n);
  if (pooled === 0 || pooled === 1) {
    throw statsError('SLUICE_STATS_NO_VARIANCE', 'all units of both arms agree', { pooled });
  }
  const standardError = Math.sqrt(pooled * (1 - pooled) * (1 / treatment.n + 1 / control.n));
  return testEffect({ estimate, standardError }, plan);
}

/** Difference of proportions ± z √(Σ p (1 − p)/n): only for large counts. */
export function waldLimits(treatment: Successes, control: Successes, alpha: number): Limits {
  return normalLimits(shareOf(treatment), treatment.n, shareOf(control), control.n, alpha);
}

/** Wald after one success and one failure are added to each arm (Agresti & Caffo 2000). */
export function agrestiCaffoLimits(treatment: Successes, control: Successes, alpha: number): Limits {
  shareOf(treatment);
  shareOf(control);
  const [nT, nC] = [treatment.n + 2, control.n + 2];
  return normalLimits((treatment.successes + 1) / nT, nT, (control.successes + 1) / nC, nC, alpha);
}

function normalLimits(shareT: number, nT: number, shareC: number, nC: number, alpha: number): Limits {
  const z = normalQuantileSf(requireProbability('alpha', alpha) / 2);
  const reach = z * Math.sqrt((shareT * (1 - shareT)) / nT + (shareC * (1 - shareC)) / nC);
  return { lower: shareT - shareC - reach, upper: shareT - shareC + reach };
}

/** Wilson's score limits of one proportion (1927). */
export function wilsonLimits(arm: Successes, alpha: number): Limits {
  const share = shareOf(arm);
  const z = normalQuantileSf(requireProbability('alpha', alpha) / 2);
  const shrink = 1 + (z * z) / arm.n;
  const centre = share + (z * z) / (2 * arm.n);
  const reach = z * Math.sqrt((share * (1 - share)) / arm.n + (z * z) / (4 * arm.n * arm.n));
  return { lower: Math.max(0, (centre - reach) / shrink), upper: Math.min(1, (centre + reach) / shrink) };
}

/** Hybrid score limits of the difference treatment − control (Newcombe 1998, method 10): good at any count. */
export function newcombeLimits(treatment: Successes, control: Successes, alpha: number): Limits {
  const [shareT, shareC] = [shareOf(treatment), shareOf(control)];
  const [ofT, ofC] = [wilsonLimits(treatment, alpha), wilsonLimits(control, alpha)];
  return {
    lower: shareT - shareC - Math.hypot(shareT - ofT.lower, ofC.upper - shareC),
    upper: shareT - shareC + Math.hypot(ofT.upper - shareT, shareC - ofC.lower),
  };
}

/** The limits to show: Newcombe's when any of the four cells is under 10, else Wald's (§2.3). */
export function proportionLimits(treatment: Successes, control: Successes, alpha: number): Limits {
  const cells = [treatment, control].flatMap(({ successes, n }) => [successes, n - successes]);
  const limits = Math.min(...cells) < 10 ? newcombeLimits : waldLimits;
  return limits(treatment, control, alpha);
}
