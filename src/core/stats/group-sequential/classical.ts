import { requireCount, requireFinite, requireProbability, statsError } from '../errors.ts';
import { detectableScore, type PowerPlan } from '../power/power-plan.ts';
import { brent } from '../special/roots.ts';
import { anyCrossing, driftForPower, symmetricLooks } from './crossing.ts';

/** Evenly spaced information fractions 1/K … 1. */
export function evenLooks(looks: number): readonly number[] {
  if (requireCount('looks', looks) === 0)
    throw statsError('SLUICE_STATS_ARGUMENT', 'a schedule needs a look', { looks });
  return Array.from({ length: looks }, (_, i) => (i + 1) / looks);
}

/**
 * Two-sided bounds c (k/K)^(shape − 1/2) for K even looks (Wang & Tsiatis 1987): shape 1/2 is Pocock's constant bound,
 * shape 0 is O'Brien and Fleming's (Jennison & Turnbull 2000, tables 2.1, 2.3).
 */
export function classicalBounds(looks: number, alpha: number, shape: number): readonly number[] {
  requireProbability('alpha', alpha);
  requireFinite('shape', shape);
  const fractions = evenLooks(looks);
  const boundsAt = (c: number) => fractions.map((t) => c * t ** (shape - 0.5));
  const excess = (c: number) => anyCrossing(symmetricLooks(fractions, boundsAt(c)), 0) - alpha;
  return boundsAt(brent(excess, 0.05, 9, { tolerance: 1e-9 }));
}

/** Largest sample of a two-sided group sequential design over that of a fixed one with the same power (§2.17). */
export function sampleInflation(fractions: readonly number[], bounds: readonly number[], plan: PowerPlan): number {
  return (driftForPower(symmetricLooks(fractions, bounds), plan.power) / detectableScore(plan)) ** 2;
}
