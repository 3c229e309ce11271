import { requirePositive, requireProbability, statsError } from '../errors.ts';
import { normalSf } from '../special/normal.ts';
import { type Units, unitsOf } from './means.ts';
import { criticalValue, type PowerPlan, powerMargin } from './power-plan.ts';

export interface ProportionsDesign {
  readonly control: number;
  readonly treatment: number;
  readonly treatmentPerControl?: number;
  /**
   * The variance under "no effect": that of the pooled proportion (R's power.prop.test), of the control proportion
   * (Evan Miller's calculator), or of each arm's own.
   */
  readonly nullVariance: 'Pooled' | 'Baseline' | 'Unpooled';
}

/** Standard deviations, for one control unit, under no effect and under the effect. */
function deviations(design: ProportionsDesign): { none: number; effect: number; delta: number } {
  const { control, treatment, treatmentPerControl: k = 1, nullVariance } = design;
  requireProbability('control', control);
  requireProbability('treatment', treatment);
  requirePositive('treatmentPerControl', k);
  if (control === treatment) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'no number of units finds an effect of 0', { control, treatment });
  }
  const effect = control * (1 - control) + (treatment * (1 - treatment)) / k;
  const pooled = (control + k * treatment) / (1 + k);
  const shared = { Pooled: pooled, Baseline: control, Unpooled: undefined }[nullVariance];
  const none = shared === undefined ? effect : shared * (1 - shared) * (1 + 1 / k);
  return { none: Math.sqrt(none), effect: Math.sqrt(effect), delta: Math.abs(treatment - control) };
}

/** Units to tell two proportions apart: n_c = (z_α σ₀ + z_β σ₁)² / δ², not rounded. */
export function unitsForProportions(design: ProportionsDesign, plan: PowerPlan): Units {
  const { none, effect, delta } = deviations(design);
  const reach = criticalValue(plan) * none + powerMargin(plan) * effect;
  return unitsOf((Math.max(0, reach) / delta) ** 2, design.treatmentPerControl);
}

/** Power with so many control units, counting the expected side only (as R's default). */
export function powerForProportions(
  design: ProportionsDesign,
  controlUnits: number,
  plan: Pick<PowerPlan, 'alpha' | 'sides'>,
): number {
  const { none, effect, delta } = deviations(design);
  const root = Math.sqrt(requirePositive('controlUnits', controlUnits));
  return normalSf((criticalValue(plan) * none - delta * root) / effect);
}
