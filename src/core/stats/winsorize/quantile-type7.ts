import { requireFinite, requireUnitInterval, statsError } from '../errors.ts';

/** The `p` quantile of values by linear interpolation of order statistics (type 7 of Hyndman and Fan 1996: R, numpy, SQL's
 * percentile_cont). Throws SLUICE_STATS_TOO_FEW for an empty list. */
export function quantileType7(values: readonly number[], p: number): number {
  requireUnitInterval('p', p);
  for (const value of values) requireFinite('value', value);
  const sorted = Float64Array.from(values).sort();
  const position = (sorted.length - 1) * p;
  const index = Math.floor(position);
  const low = sorted[index];
  if (low === undefined) throw statsError('SLUICE_STATS_TOO_FEW', 'a quantile of no values has no meaning', { n: 0 });
  const high = sorted[index + 1] ?? low;
  const part = position - index;
  // A part of 0 must not touch `high`: 0 × ∞ is NaN.
  return part === 0 ? low : low + part * (high - low);
}
