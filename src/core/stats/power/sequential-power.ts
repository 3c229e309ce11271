import { requirePositive } from '../errors.ts';
import { mixtureRho, twoSidedBound } from '../sequential/normal-mixture.ts';
import { normalSf } from '../special/normal.ts';
import { brent } from '../special/roots.ts';
import { type MeansDesign, type Units, unitsOf, varianceForOneControlUnit } from './means.ts';
import { criticalValue, type PowerPlan, powerMargin } from './power-plan.ts';

/** Standard errors that an always-valid interval reaches at n units when it was tuned for N* (§2.9, B(n)). */
export function sequentialCriticalValue(n: number, plannedSampleSize: number, alpha: number): number {
  return twoSidedBound(requirePositive('n', n), alpha, mixtureRho(plannedSampleSize, alpha)) / Math.sqrt(n);
}

/**
 * Power at a horizon of n units in all of an always-valid two-sided test: a lower bound, as it may also stop before.
 * `score` is the effect in standard errors at the horizon.
 */
export function sequentialPower(score: number, n: number, plannedSampleSize: number, alpha: number): number {
  return normalSf(sequentialCriticalValue(n, plannedSampleSize, alpha) - Math.abs(score));
}

/** Units to find `delta` at the horizon with an always-valid test tuned for just that horizon: a good N* (§2.17). */
export function unitsForSequentialMeans(design: MeansDesign, delta: number, plan: PowerPlan): Units {
  requirePositive('|delta|', Math.abs(delta));
  // B(N*) does not depend on N*.
  const score = sequentialCriticalValue(1, 1, plan.alpha) + powerMargin(plan);
  const control = (Math.max(score, 0) / delta) ** 2 * varianceForOneControlUnit(design);
  return unitsOf(control, design.treatmentPerControl);
}

/** An experiment at a look. */
export interface Progress {
  /** Of the estimated effect, now. */
  readonly standardError: number;
  /** Units in the comparison, now. */
  readonly n: number;
}

/**
 * Units in all at which the running experiment finds `mde` with the plan's power, from its error so far, which shrinks as
 * 1/√n. With `plannedSampleSize` the test is the always-valid one of that N* (two-sided), else one look at the end.
 */
export function unitsNeeded(now: Progress, mde: number, plan: PowerPlan, plannedSampleSize?: number): number {
  const size = requirePositive('|mde|', Math.abs(mde));
  const scale = requirePositive('standardError', now.standardError) * Math.sqrt(requirePositive('n', now.n));
  const margin = powerMargin(plan);
  const fixed = ((Math.max(0, criticalValue(plan) + margin) * scale) / size) ** 2;
  if (plannedSampleSize === undefined) return fixed;
  const missing = (logN: number) => {
    const n = Math.exp(logN);
    return sequentialCriticalValue(n, plannedSampleSize, plan.alpha) + margin - (size / scale) * Math.sqrt(n);
  };
  const start = Math.log(Math.max(fixed, 1e-6));
  return Math.exp(brent(missing, start - 1, start + 40));
}

/** (error wanted / error now)²: the share of the information that is in, at most 1. */
export function progressOf(now: Progress, mde: number, plan: PowerPlan, plannedSampleSize?: number): number {
  return Math.min(1, now.n / unitsNeeded(now, mde, plan, plannedSampleSize));
}
