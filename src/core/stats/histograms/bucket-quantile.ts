import { requireNonNegative, requireProbability, statsError } from '../errors.ts';
import { type Buckets, requireBuckets } from './buckets.ts';

export interface BucketQuantile {
  /** The quantile is above this edge; −Infinity when no edge is surely below. */
  readonly lower: number;
  /** The quantile is at most this edge; +Infinity when no finite edge is surely above. */
  readonly upper: number;
  /** One bucket holds the quantile. Otherwise the honest answer is "between the edges". */
  readonly resolved: boolean;
}

/**
 * Bounds on the p-quantile from bucket counts, where the observed shares F are within `below` and `above` of the true ones (from
 * `rankMargin` divided by n, or twice the empirical-process bound). Never interpolates: `histogram_quantile` invents a value
 * inside the bucket (trap 24). Throws SLUICE_STATS_TOO_FEW for an empty histogram.
 */
export function bucketQuantile(
  buckets: Buckets,
  p: number,
  margin: { readonly below: number; readonly above: number },
): BucketQuantile {
  requireBuckets(buckets);
  requireProbability('p', p);
  const total = buckets.cumulative.at(-1) as number;
  if (total === 0) throw statsError('SLUICE_STATS_TOO_FEW', 'the histogram is empty', { n: 0 });
  const shareAt = (i: number): number => (buckets.cumulative[i] as number) / total;
  const below = buckets.edges.findLastIndex((_, i) => shareAt(i) + requireNonNegative('margin', margin.below) < p);
  const above = buckets.edges.findIndex(
    (edge, i) => edge === Number.POSITIVE_INFINITY || shareAt(i) - requireNonNegative('margin', margin.above) >= p,
  );
  return {
    lower: buckets.edges[below] ?? Number.NEGATIVE_INFINITY,
    upper: buckets.edges[above] as number,
    resolved: above - below <= 1 && Number.isFinite(buckets.edges[above]),
  };
}
