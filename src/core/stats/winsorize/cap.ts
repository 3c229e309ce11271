import { requireFinite, requireNumber, requireProbability } from '../errors.ts';
import { quantileType7 } from './quantile-type7.ts';

/** How the cap is found. `of: 'NonZeros'` leaves the zeros out, for metrics where most units have none. */
export type CapRule =
  | { readonly kind: 'absolute'; readonly cap: number }
  | { readonly kind: 'percentile'; readonly percentile: number; readonly of: 'All' | 'NonZeros' };

/**
 * The cap for a metric's unit values over **all arms pooled** (§2.16): a cap per arm would move with the effect and hide it.
 * Keep it once the experiment has a tenth of its planned units: a cap that moves at each look breaks sequential validity.
 * Numerator, denominator and covariate each have their own cap, of the same population of units.
 */
export function capOf(arms: readonly (readonly number[])[], rule: CapRule): number {
  if (rule.kind === 'absolute') return requireFinite('cap', rule.cap);
  requireProbability('percentile', rule.percentile);
  const pooled = arms.flatMap((values) => (rule.of === 'All' ? [...values] : values.filter((value) => value !== 0)));
  return quantileType7(pooled, rule.percentile);
}

export interface Winsorized {
  readonly values: readonly number[];
  /** Both are shown: a decision that turns on the cap should be visible. Undefined for no values. */
  readonly cappedMean: number | undefined;
  readonly uncappedMean: number | undefined;
  /** Units above the cap. */
  readonly capped: number;
}

/** Values above the cap are set to it. */
export function winsorize(values: readonly number[], cap: number): Winsorized {
  requireNumber('cap', cap);
  for (const value of values) requireFinite('value', value);
  const kept = values.map((value) => Math.min(value, cap));
  return {
    values: kept,
    cappedMean: mean(kept),
    uncappedMean: mean(values),
    capped: values.filter((value) => value > cap).length,
  };
}

const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value / values.length, 0);
