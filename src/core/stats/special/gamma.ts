import { requireNonNegative, requireNumber, requirePositive, requireUnitInterval } from '../errors.ts';
import { gammaTail, logGammaWeight } from './gamma-tails.ts';
import { logGamma } from './log-gamma.ts';
import { invertMonotone } from './monotone-inverse.ts';
import { normalQuantile } from './normal.ts';
import { type Tail, tailLog, tailValue } from './tail.ts';

/** ln Γ(x), x > 0. */
export function lgamma(x: number): number {
  return logGamma(requirePositive('x', x));
}

/** The exact tails at 0 and infinity, else the computed one. */
function tailAt(a: number, x: number): Tail {
  requirePositive('a', a);
  if (requireNumber('x', x) <= 0) {
    requireNonNegative('x', x);
    return { isLower: true, logScale: 0, factor: 0 };
  }
  return x === Number.POSITIVE_INFINITY ? { isLower: false, logScale: 0, factor: 0 } : gammaTail(a, x);
}

/** Regularised lower incomplete gamma function P(a, x): the cdf at x of a gamma law of shape a > 0 and scale 1, x ≥ 0. */
export function gammaP(a: number, x: number): number {
  return tailValue(tailAt(a, x), true);
}

/** Regularised upper incomplete gamma function Q(a, x) = 1 − P(a, x), accurate by itself in the tail. */
export function gammaQ(a: number, x: number): number {
  return tailValue(tailAt(a, x), false);
}

/** ln P(a, x). */
export function logGammaP(a: number, x: number): number {
  return tailLog(tailAt(a, x), true);
}

/** ln Q(a, x). */
export function logGammaQ(a: number, x: number): number {
  return tailLog(tailAt(a, x), false);
}

/** The x with P(a, x) = p, p in [0, 1]; may underflow to 0 for shapes below 1. */
export function gammaPInv(a: number, p: number): number {
  requireUnitInterval('p', p);
  return p <= 0.5 ? inverse(a, Math.log(p), true) : inverse(a, Math.log1p(-p), false);
}

/** The x with Q(a, x) = q, q in [0, 1]: the quantile for upper tails down to 5e-324. */
export function gammaQInv(a: number, q: number): number {
  requireUnitInterval('q', q);
  return q <= 0.5 ? inverse(a, Math.log(q), false) : inverse(a, Math.log1p(-q), true);
}

function inverse(a: number, logTarget: number, lower: boolean): number {
  requirePositive('a', a);
  if (logTarget === Number.NEGATIVE_INFINITY) return lower ? 0 : Number.POSITIVE_INFINITY;
  // In u = ln x; the density there is x · x^(a−1) e^−x / Γ(a) = a · weight.
  const law = {
    logCdf: (u: number) => tailLog(gammaTail(a, Math.exp(u)), true),
    logSf: (u: number) => tailLog(gammaTail(a, Math.exp(u)), false),
    logPdf: (u: number) => Math.log(a) + logGammaWeight(a, Math.exp(u)),
  };
  // Wilson-Hilferty, or the leading power of the series where that is negative.
  const z = (lower ? 1 : -1) * normalQuantile(Math.max(Math.exp(logTarget), 1e-300));
  const cube = 1 - 1 / (9 * a) + z / (3 * Math.sqrt(a));
  const power = lower ? (logTarget + logGamma(a + 1)) / a : Math.log(a);
  const start = cube > 0.3 ? Math.log(a) + 3 * Math.log(cube) : power;
  const least = Math.log(Number.MIN_VALUE);
  const most = Math.log(Number.MAX_VALUE);
  const u = invertMonotone(law, { logTarget, lower }, { start: Math.min(Math.max(start, least), most), least, most });
  return u === least ? 0 : Math.exp(u);
}
