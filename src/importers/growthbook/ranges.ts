import { BUCKETS } from '../../wire/draw.ts';

/** A range of shares [from, to) of GrowthBook, 0..1. */
export type ShareRange = readonly [from: number, to: number];
/** The same in our buckets. */
export interface BucketRange {
  readonly from: number;
  readonly to: number;
}

/** Lower and upper bound of what still counts as weights that add up to 1. */
const SUM_BOUNDS = [0.99, 1.01] as const;

/** The part of each variation: its share, cut to the coverage from below. Weights that do not fit are equal ones. */
export function variationRanges(count: number, coverage = 1, weights?: readonly number[] | null): ShareRange[] {
  const covered = Math.min(1, Math.max(0, coverage));
  const sum = (weights ?? []).reduce((total, one) => total + one, 0);
  const fits = weights?.length === count && sum >= SUM_BOUNDS[0] && sum <= SUM_BOUNDS[1];
  const used = fits ? weights : Array<number>(count).fill(1 / count);
  let before = 0;
  return used.map((weight) => {
    const from = before;
    before += weight;
    return [from, from + covered * weight];
  });
}

/** The buckets of a range of shares. */
export function bucketsOf([from, to]: ShareRange): BucketRange {
  return { from: firstBucket(from), to: firstBucket(to) };
}

/**
 * The first bucket k whose share k / 10000 reaches `share`: with it as a bound, `n < share` in their doubles and
 * `bucket < bound` in our integers say the same for every n that their hashes give.
 */
export function firstBucket(share: number): number {
  let bucket = Math.min(BUCKETS, Math.max(0, Math.ceil(share * BUCKETS)));
  while (bucket > 0 && (bucket - 1) / BUCKETS >= share) bucket--;
  while (bucket < BUCKETS && bucket / BUCKETS < share) bucket++;
  return bucket;
}

/** The first bucket whose share lies above: a rollout of GrowthBook lets in `n <= coverage`. */
export function bucketAbove(share: number): number {
  const bucket = firstBucket(share);
  return bucket < BUCKETS && bucket / BUCKETS === share ? bucket + 1 : bucket;
}

/** The salt by which a namespace draws, with `growthbook/1`. */
export const namespaceSalt = (id: string): string => `__${id}`;
