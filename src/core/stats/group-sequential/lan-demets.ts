import { requirePositive, requireProbability, statsError } from '../errors.ts';
import { normalSf } from '../special/normal.ts';
import { brent } from '../special/roots.ts';
import { advance, massAbove, type ScoreDensity, scoreAtStart } from './score-density.ts';
import { type Spending, spentAlpha } from './spending.ts';

export interface SpendingPlan {
  /** Two-sided, over all looks. */
  readonly alpha: number;
  readonly spending: Spending;
}

/** A look at information fraction t: reject when |Z| ≥ bound. */
export interface GroupLook {
  readonly t: number;
  readonly bound: number;
  /** Alpha spent until now, this look included. */
  readonly spent: number;
  /** The two-sided p-value that this look asks for. */
  readonly nominalAlpha: number;
}

/** The looks so far and what the next one needs of them; a new look costs one pass over the grid. */
export interface GroupSequence {
  readonly plan: SpendingPlan;
  readonly looks: readonly GroupLook[];
  readonly density: ScoreDensity;
}

/** Where almost nothing is left to spend no finite bound is worth computing. */
const largestBound = 8;

/** A sequence without a look yet. */
export function startGroupSequence(plan: SpendingPlan): GroupSequence {
  requireProbability('alpha', plan.alpha);
  return { plan, looks: [], density: scoreAtStart };
}

/**
 * One more look at information fraction t > 0, later than the one before; looks need not be those that were planned (Lan &
 * DeMets 1983). From t = 1 on all that is left is spent, and information beyond 1 counts with its true correlation. Looks
 * less than 1e-5 after the last one with a bound of its own share that bound; an increment below 1e-7 gives bound 8.
 */
export function addLook(sequence: GroupSequence, t: number): GroupSequence {
  const last = sequence.looks.at(-1);
  requirePositive('t', t);
  if (last !== undefined && !(t > last.t)) {
    throw statsError('SLUICE_STATS_ARGUMENT', `information must grow: ${t} after ${last.t}`, { t, before: last.t });
  }
  if (last !== undefined && t - sequence.density.t < 1e-5)
    return { ...sequence, looks: [...sequence.looks, { ...last, t }] };
  const { alpha, spending } = sequence.plan;
  const target = spentAlpha(spending, t, alpha) - (last?.spent ?? 0);
  const root = Math.sqrt(t);
  const excess = (bound: number) => 2 * massAbove(sequence.density, t, bound * root, 0) - target;
  const isTiny = target < 1e-7 || excess(largestBound) > 0;
  const bound = isTiny ? largestBound : brent(excess, 0, largestBound, { tolerance: 1e-10 });
  const spent = isTiny ? (last?.spent ?? 0) : (last?.spent ?? 0) + target;
  const look = { t, bound, spent, nominalAlpha: 2 * normalSf(bound) };
  const density = advance(sequence.density, t, -bound * root, bound * root, 0);
  return { ...sequence, looks: [...sequence.looks, look], density };
}

/** All bounds of a schedule of information fractions at once. */
export function groupBounds(plan: SpendingPlan, fractions: readonly number[]): readonly GroupLook[] {
  return fractions.reduce(addLook, startGroupSequence(plan)).looks;
}
