import type { Random } from '../../../base/random.ts';
import { requireCount, requireFinite, statsError } from '../errors.ts';

export interface RandomisationTest {
  /** Mean of the treated windows less mean of the others. */
  readonly estimate: number;
  readonly standardError: number;
  /** Share of the design's assignments whose difference is at least as far from 0. */
  readonly pValue: number;
  /** Assignments that were compared: all of them, or the draws plus the observed one. */
  readonly assignments: number;
  readonly isExact: boolean;
}

/** The assignments that the design could have drawn: all of them when they are few, else a way to draw one. */
export type DesignAssignments =
  | { readonly kind: 'All'; readonly assignments: Iterable<readonly boolean[]> }
  | {
      readonly kind: 'Drawn';
      readonly draw: (random: Random) => readonly boolean[];
      readonly draws: number;
      readonly random: Random;
    };

/**
 * Randomisation test of no effect at all (§2.18): the difference of means under the assignments that the actual design could
 * have drawn. Exact whatever the outcomes' correlation. `values` holds one number per window (burn-in and burn-out dropped).
 */
export function randomisationTest(
  values: readonly number[],
  treated: readonly boolean[],
  design: DesignAssignments,
): RandomisationTest {
  for (const value of values) requireFinite('value', value);
  if (values.length !== treated.length) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'each window needs a value and an assignment', {
      windows: values.length,
    });
  }
  const observed = difference(values, treated);
  if (observed === undefined) {
    throw statsError('SLUICE_STATS_TOO_FEW', 'both arms need a window', { windows: values.length });
  }
  // Ties of equal differences must count although their sums were added in another order.
  const threshold = Math.abs(observed.estimate) * (1 - 1e-12);
  let [count, extreme] = design.kind === 'All' ? [0, 0] : [1, 1];
  for (const assignment of assignmentsOf(design)) {
    const other = difference(values, assignment);
    if (other === undefined) continue; // a draw without one of the arms could not have been analysed
    count += 1;
    if (Math.abs(other.estimate) >= threshold) extreme += 1;
  }
  if (count === 0) throw statsError('SLUICE_STATS_TOO_FEW', 'no assignment of the design treats some windows only', {});
  return { ...observed, pValue: extreme / count, assignments: count, isExact: design.kind === 'All' };
}

function* assignmentsOf(design: DesignAssignments): Generator<readonly boolean[]> {
  if (design.kind === 'All') {
    yield* design.assignments;
    return;
  }
  for (let i = requireCount('draws', design.draws); i > 0; i--) yield design.draw(design.random);
}

function difference(values: readonly number[], treated: readonly boolean[]) {
  const sides = [true, false].map((side) => {
    const mine = values.filter((_, i) => treated[i] === side);
    const mean = mine.reduce((sum, value) => sum + value, 0) / mine.length;
    const m2 = mine.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { n: mine.length, mean, square: mine.length > 1 ? m2 / (mine.length - 1) / mine.length : 0 };
  });
  const [on, off] = sides as [(typeof sides)[number], (typeof sides)[number]];
  if (on.n === 0 || off.n === 0) return undefined;
  return { estimate: on.mean - off.mean, standardError: Math.sqrt(on.square + off.square) };
}

/** All ways to treat k of n windows (complete randomisation), in lexicographic order. */
export function* allChoices(n: number, k: number): Generator<readonly boolean[]> {
  if (requireCount('k', k) > requireCount('n', n) || n > 10_000) {
    throw statsError('SLUICE_STATS_ARGUMENT', `cannot list all ways to treat ${k} of ${n} windows`, { n, k });
  }
  const chosen = Array.from({ length: k }, (_, i) => i);
  for (;;) {
    const treated = new Array<boolean>(n).fill(false);
    for (const i of chosen) treated[i] = true;
    yield treated;
    let last = k - 1;
    while (last >= 0 && chosen[last] === n - k + last) last -= 1;
    if (last < 0) return;
    chosen[last] = (chosen[last] as number) + 1;
    for (let i = last + 1; i < k; i++) chosen[i] = (chosen[i - 1] as number) + 1;
  }
}

/** All outcomes of n coins. */
export function* allCoins(n: number): Generator<readonly boolean[]> {
  if (requireCount('n', n) > 20)
    throw statsError('SLUICE_STATS_ARGUMENT', 'draw from more than 20 coins instead', { n });
  for (let bits = 0; bits < 2 ** n; bits++) yield Array.from({ length: n }, (_, i) => (bits & (1 << i)) !== 0);
}
