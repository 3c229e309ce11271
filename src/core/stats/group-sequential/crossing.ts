import { requireFinite, requireNumber, requirePositive, statsError } from '../errors.ts';
import { brent } from '../special/roots.ts';
import { advance, massAbove, massBelow, scoreAtStart } from './score-density.ts';

/** A look with a two-sided bound, or with a bound of its own below (futility); −Infinity for none. */
export interface BoundedLook {
  readonly t: number;
  readonly upper: number;
  readonly lower: number;
}

export interface Crossing {
  /** Probability of first leaving through the upper bound at this look, and through the lower one. */
  readonly upper: number;
  readonly lower: number;
}

/** Both bounds at ± the same values of Z. */
export function symmetricLooks(fractions: readonly number[], bounds: readonly number[]): readonly BoundedLook[] {
  if (fractions.length !== bounds.length) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'each look needs a bound', {
      looks: fractions.length,
      bounds: bounds.length,
    });
  }
  return fractions.map((t, i) => {
    const upper = requireNumber('bound', bounds[i] as number);
    return { t: requirePositive('t', t), upper, lower: -upper };
  });
}

/** Where and when Z(t) first leaves its bounds, for a drift θ: E[Z(t)] = θ √t, so θ is the expected Z at t = 1. */
export function crossingProbabilities(looks: readonly BoundedLook[], drift = 0): readonly Crossing[] {
  requireFinite('drift', drift);
  const crossings: Crossing[] = [];
  let density = scoreAtStart;
  for (const { t, upper, lower } of looks) {
    if (!(requirePositive('t', t) > density.t) || !(lower <= upper)) {
      throw statsError('SLUICE_STATS_ARGUMENT', 'information must grow and bounds must not cross', { t, upper, lower });
    }
    const root = Math.sqrt(t);
    crossings.push({
      upper: massAbove(density, t, upper * root, drift),
      lower: massBelow(density, t, lower * root, drift),
    });
    density = advance(density, t, lower * root, upper * root, drift);
  }
  return crossings;
}

/** Probability of ever leaving through the upper bound. */
export function upperCrossing(looks: readonly BoundedLook[], drift: number): number {
  return crossingProbabilities(looks, drift).reduce((sum, { upper }) => sum + upper, 0);
}

/** Probability of ever leaving at all. */
export function anyCrossing(looks: readonly BoundedLook[], drift: number): number {
  return crossingProbabilities(looks, drift).reduce((sum, { upper, lower }) => sum + upper + lower, 0);
}

/** The drift for which the upper bound is crossed with probability `power`. */
export function driftForPower(looks: readonly BoundedLook[], power: number): number {
  return brent((drift) => upperCrossing(looks, drift) - power, -10, 20, { tolerance: 1e-9 });
}
