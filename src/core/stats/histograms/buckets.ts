import { requireFinite, requireNonNegative, statsError } from '../errors.ts';

/** A Prometheus classic histogram at one moment or over one interval: upper edges, last one +Inf, and cumulative counts. */
export interface Buckets {
  readonly edges: readonly number[];
  readonly cumulative: readonly number[];
}

/** Throws SLUICE_STATS_ARGUMENT unless edges rise to +Inf and counts never fall. */
export function requireBuckets({ edges, cumulative }: Buckets): void {
  if (edges.length === 0 || edges.length !== cumulative.length) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'there must be one count for each edge', { edges: edges.length });
  }
  edges.forEach((edge, i) => {
    const last = i === edges.length - 1;
    if (last ? edge !== Number.POSITIVE_INFINITY : !(requireFinite('edge', edge) < (edges[i + 1] as number))) {
      throw statsError('SLUICE_STATS_ARGUMENT', 'edges must rise and end with +Inf', { index: i });
    }
    if (requireNonNegative('count', cumulative[i] as number) < (cumulative[i - 1] ?? 0)) {
      throw statsError('SLUICE_STATS_ARGUMENT', 'cumulative counts must not fall', { index: i });
    }
  });
}

/**
 * Requests slower than `limit`, for the counters (statistics.md §2.20): exact, because limit must be an edge. Throws
 * SLUICE_STATS_ARGUMENT when it is not: a number between two edges would be a guess.
 */
export function slowRequests(buckets: Buckets, limit: number): { readonly slow: number; readonly total: number } {
  requireBuckets(buckets);
  const index = buckets.edges.indexOf(limit);
  const total = buckets.cumulative.at(-1) as number;
  if (index === -1 || limit === Number.POSITIVE_INFINITY) {
    throw statsError('SLUICE_STATS_ARGUMENT', `the limit must be one of the finite bucket edges, not ${limit}`, {
      limit,
    });
  }
  return { slow: total - (buckets.cumulative[index] as number), total };
}
