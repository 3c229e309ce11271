import { requirePositive, requireProbability, statsError } from '../errors.ts';
import { noncentralTSf } from '../special/noncentral-t.ts';
import { brent } from '../special/roots.ts';
import { tQuantileSf } from '../special/student-t.ts';
import { detectableScore, type PowerPlan } from './power-plan.ts';

/**
 * Power of a two-sample t test with n units in each arm and a common standard deviation, by the noncentral t, counting the
 * expected side only (R's power.t.test). For small samples; from a few hundred units on `powerForMeans` says the same.
 */
export function powerForTTest(
  effect: { readonly delta: number; readonly standardDeviation: number },
  unitsPerArm: number,
  plan: Pick<PowerPlan, 'alpha' | 'sides'>,
): number {
  const delta = Math.abs(effect.delta) / requirePositive('standardDeviation', effect.standardDeviation);
  if (!(unitsPerArm > 1)) {
    throw statsError('SLUICE_STATS_TOO_FEW', `a t test needs more than 1 unit an arm, not ${unitsPerArm}`, {
      needed: 2,
    });
  }
  const df = 2 * (unitsPerArm - 1);
  const alpha = requireProbability('alpha', plan.alpha);
  const critical = tQuantileSf(plan.sides === 'OneSided' ? alpha : alpha / 2, df);
  return noncentralTSf(critical, df, delta * Math.sqrt(unitsPerArm / 2));
}

/** Units in each arm for a two-sample t test, not rounded; at least 2. */
export function unitsForTTest(
  effect: { readonly delta: number; readonly standardDeviation: number },
  plan: PowerPlan,
): number {
  const size = requirePositive('|delta|', Math.abs(effect.delta)) / effect.standardDeviation;
  const asymptotic = 2 * (detectableScore(plan) / size) ** 2;
  const missing = (units: number) => powerForTTest(effect, units, plan) - plan.power;
  if (missing(2) >= 0) return 2;
  return brent(missing, 2, 10 * asymptotic + 100, { tolerance: 1e-9 * asymptotic });
}
