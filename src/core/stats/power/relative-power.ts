import { requireFinite, requirePositive, statsError } from '../errors.ts';
import { detectableScore, type PowerPlan, powerOfScore } from './power-plan.ts';

/** A metric before the experiment: mean and variance of one unit, both arms alike. */
export interface Baseline {
  readonly mean: number;
  readonly variance: number;
}

function requireBaseline({ mean, variance }: Baseline): void {
  requirePositive('variance', variance);
  if (requireFinite('mean', mean) === 0)
    throw statsError('SLUICE_STATS_BASELINE', 'a lift needs a mean other than 0', {});
}

/** Power to find a relative lift with n units in each arm, with the delta-method error at that lift (§2.17). */
export function powerForLift(
  baseline: Baseline,
  lift: number,
  unitsPerArm: number,
  plan: Pick<PowerPlan, 'alpha' | 'sides'>,
): number {
  requireBaseline(baseline);
  const one = baseline.variance / requirePositive('unitsPerArm', unitsPerArm) / baseline.mean ** 2;
  const standardError = Math.sqrt(one * (1 + (1 + requireFinite('lift', lift)) ** 2));
  return powerOfScore((plan.sides === 'OneSided' ? lift : Math.abs(lift)) / standardError, plan);
}

/**
 * The smallest relative lift > 0 that n units in each arm find: the delta-method error grows with the lift, so that
 * lift = z √(v (1 + (1 + lift)²)) / m is a quadratic in it. Throws SLUICE_STATS_TOO_FEW when n ≤ variance z² / mean²: then no
 * lift is ever found.
 */
export function detectableLift(baseline: Baseline, unitsPerArm: number, plan: PowerPlan): number {
  requireBaseline(baseline);
  const z2 = detectableScore(plan) ** 2;
  // Divided by the mean twice: its square may overflow.
  const perUnit = (z2 * (baseline.variance / baseline.mean)) / baseline.mean;
  const g = perUnit / requirePositive('unitsPerArm', unitsPerArm);
  if (g >= 1) {
    const needed = Math.ceil(perUnit) + 1;
    throw statsError('SLUICE_STATS_TOO_FEW', `no lift is found with fewer than ${needed} units an arm`, { needed });
  }
  // (1 − g) x² − 2 x + 1 − g = 0 for x = 1 + lift: the larger root, written without cancellation.
  return (g + Math.sqrt(g * (2 - g))) / (1 - g);
}
