import { BUCKETS } from '../../wire/draw.ts';

/**
 * Ends of the arms' ranges in buckets, in spec order: end k = floor(10000 × (w₁ + … + wₖ) / Σw) with weights in whole
 * hundredths, and the last is 10000. Weights ≥ 0, at least one above 0; an arm of weight 0 has an empty range.
 */
export function armEnds(weights: readonly number[]): number[] {
  const hundredths = weights.map((weight) => Math.round(weight * 100));
  const sum = hundredths.reduce((total, one) => total + one, 0);
  let before = 0;
  const ends = hundredths.map((one) => {
    before += one;
    return Math.floor((BUCKETS * before) / sum);
  });
  return [...ends.slice(0, -1), BUCKETS];
}

/** Index of the arm that `bucket` falls in: the first whose end lies above it. */
export function armIndex(ends: readonly number[], bucket: number): number {
  let index = 0;
  while (index < ends.length - 1 && bucket >= (ends[index] as number)) index++;
  return index;
}
