import { requireNumber, requireUnitInterval } from '../errors.ts';
import { expOfHalfSquare } from './double-double.ts';
import { erfcx } from './erf.ts';
import { normalQuantileOfTail } from './normal-quantile.ts';

const sqrtTwoPi = Math.sqrt(2 * Math.PI);
const logSqrtTwoPi = Math.log(2 * Math.PI) / 2;

/** Density of the standard normal law. */
export function normalPdf(x: number): number {
  requireNumber('x', x);
  return Math.abs(x) > 40 ? 0 : expOfHalfSquare(x) / sqrtTwoPi;
}

/** Log density of the standard normal law. */
export function normalLogPdf(x: number): number {
  return -(requireNumber('x', x) * x) / 2 - logSqrtTwoPi;
}

/** P(Z > x), to full relative accuracy until it underflows at x ≈ 38.5. */
export function normalSf(x: number): number {
  requireNumber('x', x);
  if (x < 0) return 1 - normalSf(-x);
  return x > 40 ? 0 : (expOfHalfSquare(x) * erfcx(x / Math.SQRT2)) / 2;
}

/** P(Z ≤ x). */
export function normalCdf(x: number): number {
  return normalSf(-requireNumber('x', x));
}

/** ln P(Z > x), finite for every finite x up to |x| ≈ 1e154. */
export function normalLogSf(x: number): number {
  requireNumber('x', x);
  if (x === Number.POSITIVE_INFINITY) return Number.NEGATIVE_INFINITY;
  if (x < 0) return Math.log1p(-normalSf(-x));
  return -(x * x) / 2 + Math.log(erfcx(x / Math.SQRT2) / 2);
}

/** ln P(Z ≤ x). */
export function normalLogCdf(x: number): number {
  return normalLogSf(-requireNumber('x', x));
}

/** The x with P(Z ≤ x) = p; −Infinity at 0 and Infinity at 1. */
export function normalQuantile(p: number): number {
  requireUnitInterval('p', p);
  return p <= 0.5 ? 0 - normalQuantileSf(p) : normalQuantileOfTail(p - 0.5, -Math.log1p(-p));
}

/** The x with P(Z > x) = q, accurate for q down to 5e-324; Infinity at 0 and −Infinity at 1. */
export function normalQuantileSf(q: number): number {
  requireUnitInterval('q', q);
  return q <= 0.5 ? normalQuantileOfTail(0.5 - q, -Math.log(q)) : -normalQuantileOfTail(q - 0.5, -Math.log1p(-q));
}

/** The x with ln P(Z ≤ x) = logP, for any logP ≤ 0, also where exp(logP) underflows. */
export function normalQuantileLog(logP: number): number {
  requireNumber('logP', logP);
  if (logP > -Math.LN2) return normalQuantileSf(-Math.expm1(logP > 0 ? Number.NaN : logP));
  if (logP > -700) return -normalQuantileOfTail(0.5 - Math.exp(logP), -logP);
  if (logP === Number.NEGATIVE_INFINITY) return Number.NEGATIVE_INFINITY;
  // ln sf(x) ≈ −x²/2 − ln(x √2π): two Newton steps from there reach the last digit
  let x = Math.sqrt(-2 * logP - Math.log(-4 * Math.PI * logP));
  for (let step = 0; step < 3; step++) {
    const slope = -2 / (Math.sqrt(2 * Math.PI) * erfcx(x / Math.SQRT2)); // −pdf/sf
    x -= (normalLogSf(x) - logP) / slope;
  }
  return -x;
}
