import { requireNumber, requirePositive, requireUnitInterval, statsError } from '../errors.ts';
import { holm } from '../multiplicity/adjusted-p-values.ts';
import { eBenjaminiHochberg } from '../multiplicity/e-benjamini-hochberg.ts';

/** One primary metric of one treatment arm against control, on its decision scale, turned so that **up is good**. */
export interface PrimaryResult {
  readonly metric: string;
  /** Bounds of the interval at the experiment's alpha. */
  readonly lower: number;
  readonly upper: number;
  /** The smallest effect that matters, > 0, on the same scale. */
  readonly mde: number;
  /** ln E against no effect, for sequential analysis; the highest so far may be given. */
  readonly logE?: number;
  /** For a fixed horizon. */
  readonly pValue?: number;
}

/** When the primaries may be read. A fixed horizon that is not reached has no result: looking early is what breaks it. */
export type PrimaryMethod =
  | { readonly kind: 'Sequential' }
  | { readonly kind: 'FixedHorizon'; readonly reached: boolean };

export interface PrimaryState {
  readonly arm: string;
  readonly metric: string;
  readonly state: 'Win' | 'Lose' | 'Unknown';
  /** The whole interval lies inside ± mde. */
  readonly insideMde: boolean;
}

export interface ArmPrimaries {
  readonly arm: string;
  readonly primaries: readonly PrimaryResult[];
}

/** Corrected over arms × primaries together: e-BH for sequential evidence, Holm for fixed p-values (experiments.md). */
export function judgePrimaries(arms: readonly ArmPrimaries[], method: PrimaryMethod, alpha: number): PrimaryState[] {
  const all = arms.flatMap(({ arm, primaries }) =>
    primaries.map((primary) => ({ arm, primary: requirePrimary(primary) })),
  );
  if (method.kind === 'FixedHorizon' && !method.reached) {
    return all.map(({ arm, primary }) => ({ arm, metric: primary.metric, state: 'Unknown', insideMde: false }));
  }
  const significant =
    method.kind === 'Sequential'
      ? eBenjaminiHochberg(
          all.map(({ primary }) => given(primary, 'logE')),
          alpha,
        )
      : holm(all.map(({ primary }) => given(primary, 'pValue'))).map((p) => p <= alpha);
  return all.map(({ arm, primary }, i) => ({
    arm,
    metric: primary.metric,
    state: significant[i] ? directionOf(primary) : 'Unknown',
    insideMde: primary.lower > -primary.mde && primary.upper < primary.mde,
  }));
}

/** Evidence of the past does not decide against the present interval. */
function directionOf({ lower, upper }: PrimaryResult): PrimaryState['state'] {
  if (lower > 0) return 'Win';
  return upper < 0 ? 'Lose' : 'Unknown';
}

function given(primary: PrimaryResult, field: 'logE' | 'pValue'): number {
  const value = primary[field];
  if (value !== undefined) return field === 'logE' ? requireNumber(field, value) : requireUnitInterval(field, value);
  throw statsError('SLUICE_STATS_ARGUMENT', `metric ${primary.metric} has no ${field}, which its method needs`);
}

function requirePrimary(primary: PrimaryResult): PrimaryResult {
  requirePositive('mde', primary.mde);
  if (requireNumber('lower', primary.lower) > requireNumber('upper', primary.upper)) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'the lower bound is above the upper bound', { lower: primary.lower });
  }
  return primary;
}
