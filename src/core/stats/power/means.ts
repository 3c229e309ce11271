import { requireFinite, requireNonNegative, requireNumber, requirePositive, statsError } from '../errors.ts';
import { detectableScore, type PowerPlan, powerOfScore } from './power-plan.ts';

/** What is known of a metric before the experiment; for a ratio metric the variances are those of `ratioArm`. */
export interface MeansDesign {
  readonly varianceControl: number;
  readonly varianceTreatment: number;
  /** Treatment units for each control unit; default 1. A 10 % arm beside 90 % has 1/9. */
  readonly treatmentPerControl?: number;
  /** Correlation with the CUPED covariate: both variances shrink by 1 − r². Default 0. */
  readonly covariateCorrelation?: number;
}

export interface Units {
  readonly control: number;
  readonly treatment: number;
  readonly total: number;
}

/** Variance of the estimated difference for one control unit (and `treatmentPerControl` treatment units). */
export function varianceForOneControlUnit(design: MeansDesign): number {
  const { treatmentPerControl = 1, covariateCorrelation = 0 } = design;
  requireNonNegative('varianceControl', design.varianceControl);
  requireNonNegative('varianceTreatment', design.varianceTreatment);
  requirePositive('treatmentPerControl', treatmentPerControl);
  if (!(Math.abs(covariateCorrelation) < 1)) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'a correlation must be inside (−1, 1)', { covariateCorrelation });
  }
  const total = design.varianceControl + design.varianceTreatment / treatmentPerControl;
  if (total === 0) throw statsError('SLUICE_STATS_NO_VARIANCE', 'a metric without variance needs no design', {});
  return total * (1 - covariateCorrelation ** 2);
}

/** Units of both arms from those of control. */
export function unitsOf(control: number, treatmentPerControl = 1): Units {
  requireNumber('control units', control);
  requirePositive('treatmentPerControl', treatmentPerControl);
  return { control, treatment: control * treatmentPerControl, total: control * (1 + treatmentPerControl) };
}

/**
 * Units to find a difference `delta` (§2.17): n_c = (z_α + z_β)² (s_c² + s_t²/k) / δ², not rounded. With a non-inferiority
 * `margin` > 0 the effect to prove is delta + margin, `delta` being the expected effect (0, or slightly negative); use a
 * one-sided plan there.
 */
export function unitsForMeans(design: MeansDesign, delta: number, plan: PowerPlan, margin = 0): Units {
  const effect = requireFinite('delta', delta) + requireNonNegative('margin', margin);
  if (effect === 0) throw statsError('SLUICE_STATS_ARGUMENT', 'no number of units finds an effect of 0', { delta });
  const score = detectableScore(plan);
  return unitsOf((score / effect) ** 2 * varianceForOneControlUnit(design), design.treatmentPerControl);
}

/** Power to find `delta` with so many control units. */
export function powerForMeans(
  design: MeansDesign,
  delta: number,
  controlUnits: number,
  plan: Pick<PowerPlan, 'alpha' | 'sides'>,
  margin = 0,
): number {
  const variance = varianceForOneControlUnit(design) / requirePositive('controlUnits', controlUnits);
  const effect = requireFinite('delta', delta) + requireNonNegative('margin', margin);
  return powerOfScore((plan.sides === 'OneSided' ? effect : Math.abs(effect)) / Math.sqrt(variance), plan);
}

/** The smallest difference that so many control units find with the plan's power. */
export function detectableDifference(design: MeansDesign, controlUnits: number, plan: PowerPlan): number {
  const variance = varianceForOneControlUnit(design) / requirePositive('controlUnits', controlUnits);
  return detectableScore(plan) * Math.sqrt(variance);
}

/** How much more traffic a share q of treatment needs than an even split: 1 / (4 q (1 − q)). */
export function splitInflation(treatmentShare: number): number {
  if (!(treatmentShare > 0 && treatmentShare < 1)) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'a share must be inside (0, 1)', { treatmentShare });
  }
  return 1 / (4 * treatmentShare * (1 - treatmentShare));
}
