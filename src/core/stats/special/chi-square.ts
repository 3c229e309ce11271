import { requireNonNegative, requirePositive } from '../errors.ts';
import { gammaP, gammaPInv, gammaQ, gammaQInv, logGammaQ } from './gamma.ts';

/** P(X ≤ x) for chi-square with df > 0 degrees of freedom, x ≥ 0. */
export function chiSquareCdf(x: number, df: number): number {
  return gammaP(requirePositive('df', df) / 2, x / 2);
}

/** P(X > x), accurate by itself in the tail. */
export function chiSquareSf(x: number, df: number): number {
  return gammaQ(requirePositive('df', df) / 2, x / 2);
}

/** ln P(X > x). */
export function chiSquareLogSf(x: number, df: number): number {
  return logGammaQ(requirePositive('df', df) / 2, x / 2);
}

/** The x with P(X ≤ x) = p. */
export function chiSquareQuantile(p: number, df: number): number {
  return 2 * gammaPInv(requirePositive('df', df) / 2, p);
}

/** The x with P(X > x) = q. */
export function chiSquareQuantileSf(q: number, df: number): number {
  return 2 * gammaQInv(requirePositive('df', df) / 2, requireNonNegative('q', q));
}
