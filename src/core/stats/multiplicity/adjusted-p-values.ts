import { requireUnitInterval } from '../errors.ts';

/**
 * Holm's step-down p-values (Holm 1979; statistics.md §2.14), in input order. They control the chance of any false
 * rejection under every dependence, also when the inputs are always-valid p-values. An empty list gives an empty list.
 */
export function holm(pValues: readonly number[]): number[] {
  const count = pValues.length;
  let running = 0;
  return inOrder(pValues, 'ascending', (p, rank) => {
    running = Math.max(running, Math.min(1, p * (count - rank)));
    return running;
  });
}

/** Benjamini and Hochberg's step-up p-values (1995; §2.14), in input order: the false discovery rate, for secondaries. */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const count = pValues.length;
  let running = 1;
  return inOrder(pValues, 'descending', (p, rank) => {
    running = Math.min(running, (p * count) / (count - rank));
    return running;
  });
}

/** Visits the values sorted, hands each its rank from 0, and returns the answers in input order. */
function inOrder(
  values: readonly number[],
  direction: 'ascending' | 'descending',
  visit: (value: number, rank: number) => number,
): number[] {
  const sign = direction === 'ascending' ? 1 : -1;
  const sorted = values.map((value, index) => ({ value: requireUnitInterval('p-value', value), index }));
  sorted.sort((a, b) => sign * (a.value - b.value));
  const answer = new Array<number>(values.length).fill(1);
  sorted.forEach(({ value, index }, rank) => {
    answer[index] = visit(value, rank);
  });
  return answer;
}
