import { requireNonNegative, requireNumber } from '../errors.ts';
import { gammaP, gammaQ, logGammaP, logGammaQ } from './gamma.ts';
import { logGammaWeight } from './gamma-tails.ts';

/** ln P(N = k) for a Poisson law with the given mean ≥ 0; −Infinity where k is not a count (Loader's saddle-point form). */
export function poissonLogPmf(k: number, mean: number): number {
  requireNonNegative('mean', mean);
  if (!isCount(k)) return Number.NEGATIVE_INFINITY;
  if (mean === 0) return k === 0 ? 0 : Number.NEGATIVE_INFINITY;
  return k === 0 ? -mean : logGammaWeight(k, mean);
}

/** P(N = k). */
export function poissonPmf(k: number, mean: number): number {
  return Math.exp(poissonLogPmf(k, mean));
}

/** P(N ≤ k); k is rounded down. */
export function poissonCdf(k: number, mean: number): number {
  return below(k, mean) ?? gammaQ(Math.floor(k) + 1, mean);
}

/** P(N > k), accurate by itself in the tail; k is rounded down. */
export function poissonSf(k: number, mean: number): number {
  const outside = below(k, mean);
  return outside === undefined ? gammaP(Math.floor(k) + 1, mean) : 1 - outside;
}

/** ln P(N ≤ k). */
export function poissonLogCdf(k: number, mean: number): number {
  const outside = below(k, mean);
  return outside === undefined ? logGammaQ(Math.floor(k) + 1, mean) : Math.log(outside);
}

/** ln P(N > k). */
export function poissonLogSf(k: number, mean: number): number {
  const outside = below(k, mean);
  return outside === undefined ? logGammaP(Math.floor(k) + 1, mean) : Math.log(1 - outside);
}

const isCount = (k: number) => Number.isInteger(requireNumber('k', k)) && k >= 0;

/** The cdf where it is 0 or 1 exactly, else undefined. */
function below(k: number, mean: number): 0 | 1 | undefined {
  requireNonNegative('mean', mean);
  if (requireNumber('k', k) < 0) return 0;
  return mean === 0 || k === Number.POSITIVE_INFINITY ? 1 : undefined;
}
