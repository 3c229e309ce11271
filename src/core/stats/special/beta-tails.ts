import { twoProduct, twoSum } from './double-double.ts';
import { logGammaIncrease, logGammaOnePlus, stirlingError } from './log-gamma.ts';
import { log1pmx, logRatioMinusExcess } from './log1pmx.ts';
import type { Tail } from './tail.ts';
import { tailIntegral } from './tail-integral.ts';

/** With both shapes beyond this the continued fraction needs more than about 500 terms near the mode. */
const quadratureFrom = 5000;

/** A point of (0, 1) with its complement, each accurate to its own last digit: 1 − x alone would lose y near 1. */
export interface UnitPoint {
  readonly x: number;
  readonly y: number;
}

export function unitPoint(x: number): UnitPoint {
  return { x, y: 1 - x };
}

/** (a + b) x − a = b x − a y, from the smaller of x and y, rounded about once. */
function excess(a: number, b: number, { x, y }: UnitPoint): number {
  const fromX = x <= y;
  const total = twoSum(a, b);
  const product = twoProduct(total.hi, fromX ? x : y);
  const difference = twoSum(product.hi, fromX ? -a : -b);
  const value = difference.hi + (difference.lo + product.lo + total.lo * (fromX ? x : y));
  return fromX ? value : -value;
}

/** ln(xᵃ yᵇ / B(a, b)) by Loader's saddle-point form: the exponent is a sum of two parts of one sign. */
export function logBetaWeight(a: number, b: number, point: UnitPoint): number {
  const n = a + b;
  const over = excess(a, b, point);
  const exponent =
    a * logRatioMinusExcess((point.x * n) / a, over / a) + b * logRatioMinusExcess((point.y * n) / b, -over / b);
  const stirling = stirlingError(n) - stirlingError(a) - stirlingError(b);
  return exponent + stirling + (Math.log(a) + Math.log(b / n) - Math.log(2 * Math.PI)) / 2;
}

/** The tail of the beta law at a point inside (0, 1) that is computed without cancellation, for a, b > 0 finite. */
export function betaTail(a: number, b: number, point: UnitPoint): Tail {
  const mirror = { x: point.y, y: point.x };
  const above = outerOfSmallShape(a, b, point.x);
  if (above < 0.5) return { isLower: false, logScale: 0, factor: above };
  const below = outerOfSmallShape(b, a, point.y);
  if (below < 0.5) return { isLower: true, logScale: 0, factor: below };
  const logScale = logBetaWeight(a, b, point);
  const over = excess(a, b, point);
  const isLower = over <= 0;
  const mirrored = isLower ? point : mirror;
  const [near, far] = isLower ? [a, b] : [b, a];
  const useQuadrature = Math.min(a, b) >= quadratureFrom && Math.abs(over) < 0.5 * Math.min(a, b);
  const factor = useQuadrature
    ? lowerByQuadrature(near, far, mirrored)
    : 1 / lowerFraction(near, far, mirrored, -Math.abs(over));
  return { isLower, logScale, factor };
}

/**
 * 1 − I_x(a, b) for a < 1 and b x ≤ 1: 1 − xᵃ/(a B(a, b)) (1 + a Σ (1 − b)ₙ xⁿ / (n! (a + n))), DLMF 8.17.7, the first
 * difference through expm1. A law of tiny shape has nearly all its mass near 0, and this tail keeps its digits. 1 elsewhere.
 */
function outerOfSmallShape(a: number, b: number, x: number): number {
  if (a >= 1 || x > 0.5 || b * x > 1) return 1;
  const logPower = a * Math.log(x) - logGammaOnePlus(a) + logGammaIncrease(b, a);
  let term = 1;
  let sum = 0;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= ((n - b) * x) / n;
    sum += term / (a + n);
  }
  return -Math.expm1(logPower) - a * Math.exp(logPower) * sum;
}

/**
 * xᵃ yᵇ / (B(a, b) I_x(a, b)) for x ≤ a/(a + b), modified Lentz on the fraction of Didonato & Morris, TOMS 18 (1992), eq. 9
 * (equal to the even part of DLMF 8.17.22). `over` is (a + b) x − a.
 */
function lowerFraction(a: number, b: number, { x }: UnitPoint, over: number): number {
  let fraction = (a * (1 - over)) / (a + 1);
  let c = fraction;
  let d = 0;
  for (let n = 1; n < 100_000; n++) {
    const even = a + 2 * n;
    const numerator = ((a + n - 1) * (a + b + n - 1) * n * (b - n) * x * x) / ((even - 1) * (even - 1));
    const denominator = n + (n * (b - n) * x) / (even - 1) + ((a + n) * (1 - over + n * (2 - x))) / (even + 1);
    d = 1 / (denominator + numerator * d);
    c = denominator + numerator / c;
    const change = c * d;
    fraction *= change;
    if (Math.abs(change - 1) < 2e-16) break;
  }
  return fraction;
}

/** I_x(a, b) B(a, b) / (xᵃ yᵇ) for large shapes: the tail integral of the density from x downwards. */
function lowerByQuadrature(a: number, b: number, point: UnitPoint): number {
  const { x, y } = point;
  const slope = -excess(a - 1, b - 1, point) / (x * y);
  const curvature = Math.sqrt(a / (x * x) + b / (y * y));
  const logRatio = (s: number) =>
    s < x ? (a - 1) * log1pmx(-s / x) + (b - 1) * log1pmx(s / y) - slope * s : Number.NEGATIVE_INFINITY;
  return tailIntegral(logRatio, 1 / (Math.max(slope, 0) + curvature)) / (x * y);
}
