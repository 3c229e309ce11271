import { requireCount, requireProbability, statsError } from '../errors.ts';
import { normalQuantileSf, normalSf } from '../special/normal.ts';

/** The error rates that a design is made for. */
export interface PowerPlan {
  readonly alpha: number;
  /** Probability to find an effect of the designed size, in (0, 1). */
  readonly power: number;
  /** `OneSided` spends all of alpha on the expected side (non-inferiority). Default `TwoSided`. */
  readonly sides?: 'TwoSided' | 'OneSided';
}

/** Standard errors that separate 0 from significance. */
export function criticalValue(plan: Pick<PowerPlan, 'alpha' | 'sides'>): number {
  const alpha = requireProbability('alpha', plan.alpha);
  return normalQuantileSf(plan.sides === 'OneSided' ? alpha : alpha / 2);
}

/** Standard errors that the true effect must have beyond the critical value. Negative for power below 1/2. */
export function powerMargin(plan: Pick<PowerPlan, 'power'>): number {
  return normalQuantileSf(1 - requireProbability('power', plan.power));
}

/**
 * How many standard errors an effect must measure to be found with the plan's power. Throws SLUICE_STATS_ARGUMENT when that
 * is not positive: such a power is less than chance gives.
 */
export function detectableScore(plan: PowerPlan): number {
  const score = criticalValue(plan) + powerMargin(plan);
  if (!(score > 0)) {
    throw statsError('SLUICE_STATS_ARGUMENT', `power ${plan.power} needs no data at alpha ${plan.alpha}`, { score });
  }
  return score;
}

/** Power of a z test for an effect of `score` standard errors; two-sided counts both sides, as a significant wrong sign also stops. */
export function powerOfScore(score: number, plan: Pick<PowerPlan, 'alpha' | 'sides'>): number {
  const critical = criticalValue(plan);
  const expected = normalSf(critical - score);
  return plan.sides === 'OneSided' ? expected : expected + normalSf(critical + score);
}

/**
 * The plan for each of several goals that must all be found, in a family of `tests` tests: alpha / tests and
 * power^(1/goals) (§2.17).
 */
export function sharedPlan(plan: PowerPlan, goals: number, tests: number): PowerPlan {
  if (requireCount('goals', goals) === 0 || requireCount('tests', tests) === 0) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'a shared plan needs a goal and a test', { goals, tests });
  }
  return {
    ...plan,
    alpha: requireProbability('alpha', plan.alpha) / tests,
    power: requireProbability('power', plan.power) ** (1 / goals),
  };
}
