import { requirePositive, requireUnitInterval, statsError } from '../errors.ts';
import { betaTail, logBetaWeight, type UnitPoint, unitPoint } from './beta-tails.ts';
import { logGamma, logGammaIncrease, stirlingError } from './log-gamma.ts';
import { invertMonotone } from './monotone-inverse.ts';
import { normalQuantile } from './normal.ts';
import { type Tail, tailLog, tailValue } from './tail.ts';

/** Shapes beyond 1e100 have no use, and their products would overflow. */
function requireShape(name: string, value: number): number {
  if (requirePositive(name, value) <= 1e100) return value;
  throw statsError('SLUICE_STATS_ARGUMENT', `${name} must be at most 1e100, not ${value}`, { name, value });
}

/** ln B(a, b) = ln Γ(a) Γ(b) / Γ(a + b), without the cancellation of three large lgammas. */
export function lbeta(a: number, b: number): number {
  requireShape('a', a);
  requireShape('b', b);
  const [small, large] = a < b ? [a, b] : [b, a];
  const n = small + large;
  if (large < 2.5) return logGamma(small) + logGamma(large) - logGamma(n);
  if (small < 12) return logGamma(small) - logGammaIncrease(large, small);
  const logs = small * Math.log(small / n) - large * Math.log1p(small / large);
  const correction = stirlingError(small) + stirlingError(large) - stirlingError(n);
  return logs + correction + (Math.log((2 * Math.PI) / small) + Math.log1p(small / large)) / 2;
}

/** The tail of the beta law at a point of [0, 1], with guards and the exact ends; for laws that derive from it. */
export function betaTailAt(point: UnitPoint, a: number, b: number): Tail {
  requireShape('a', a);
  requireShape('b', b);
  requireUnitInterval('x', point.x);
  if (point.x === 0) return { isLower: true, logScale: 0, factor: 0 };
  if (point.y === 0) return { isLower: false, logScale: 0, factor: 0 };
  return betaTail(a, b, point);
}

/** Regularised incomplete beta function I_x(a, b): the cdf at x in [0, 1] of a beta law with shapes a, b > 0. */
export function betaCdf(x: number, a: number, b: number): number {
  return tailValue(betaTailAt(unitPoint(x), a, b), true);
}

/** 1 − I_x(a, b), accurate by itself in the tail. */
export function betaSf(x: number, a: number, b: number): number {
  return tailValue(betaTailAt(unitPoint(x), a, b), false);
}

/** ln I_x(a, b). */
export function betaLogCdf(x: number, a: number, b: number): number {
  return tailLog(betaTailAt(unitPoint(x), a, b), true);
}

/** ln (1 − I_x(a, b)). */
export function betaLogSf(x: number, a: number, b: number): number {
  return tailLog(betaTailAt(unitPoint(x), a, b), false);
}

/** Log density of the beta law at x inside (0, 1). */
export function betaLogPdf(x: number, a: number, b: number): number {
  requireShape('a', a);
  requireShape('b', b);
  requireUnitInterval('x', x);
  if (x === 0 || x === 1) {
    const shape = x === 0 ? a : b;
    if (shape === 1) return Math.log(x === 0 ? b : a);
    return shape < 1 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }
  return logBetaWeight(a, b, unitPoint(x)) - Math.log(x) - Math.log1p(-x);
}

/** The x with I_x(a, b) = p, p in [0, 1]. */
export function betaQuantile(p: number, a: number, b: number): number {
  return betaQuantilePoint(p, a, b).x;
}

/** The x with 1 − I_x(a, b) = q: the quantile for upper tails down to 5e-324. */
export function betaQuantileSf(q: number, a: number, b: number): number {
  return betaQuantilePoint(q, b, a).y;
}

/** The p-quantile together with its complement, each to its own last digit. */
export function betaQuantilePoint(p: number, a: number, b: number): UnitPoint {
  requireShape('a', a);
  requireShape('b', b);
  requireUnitInterval('p', p);
  if (p === 0) return { x: 0, y: 1 };
  if (p === 1) return { x: 1, y: 0 };
  const lower = p <= 0.5;
  const logTarget = lower ? Math.log(p) : Math.log1p(-p);
  // In u = ln(x / (1 − x)); the density there is x y times that in x.
  const law = {
    logCdf: (u: number) => tailLog(betaTail(a, b, logisticPoint(u)), true),
    logSf: (u: number) => tailLog(betaTail(a, b, logisticPoint(u)), false),
    logPdf: (u: number) => logBetaWeight(a, b, logisticPoint(u)),
  };
  const start = Math.log(a / b) + normalQuantile(p) * Math.sqrt(1 / a + 1 / b);
  const range = { start: Math.min(Math.max(start, -700), 700), least: -740, most: 740 };
  const u = invertMonotone(law, { logTarget, lower }, range);
  if (u === range.least) return { x: 0, y: 1 };
  return u === range.most ? { x: 1, y: 0 } : logisticPoint(u);
}

function logisticPoint(u: number): UnitPoint {
  const shrink = Math.exp(-Math.abs(u));
  const large = 1 / (1 + shrink);
  const small = shrink / (1 + shrink);
  return u < 0 ? { x: small, y: large } : { x: large, y: small };
}
