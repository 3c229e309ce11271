import { logGammaOnePlus, stirlingError } from './log-gamma.ts';
import { log1pmx, logRatioMinusExcess } from './log1pmx.ts';
import type { Tail } from './tail.ts';
import { tailIntegral } from './tail-integral.ts';

/** From here on the series and the continued fraction need more than about 500 terms near the mode. */
const quadratureFrom = 5000;

/** ln(xᵃ e⁻ˣ / Γ(a + 1)) for a, x > 0: Loader's saddle-point form, accurate to a few units of the log's last place. */
export function logGammaWeight(a: number, x: number): number {
  if (a < 1) return a * Math.log(x) - x - logGammaOnePlus(a);
  return a * logRatioMinusExcess(x / a, (x - a) / a) - Math.log(2 * Math.PI * a) / 2 - stirlingError(a);
}

/**
 * The tail of the gamma law with shape a at x that is computed without cancellation, for a, x > 0 finite (DLMF 8.11, 8.9):
 * Taylor series below, Legendre's continued fraction above, a small-shape form of Q, and quadrature for large a near the mode.
 */
export function gammaTail(a: number, x: number): Tail {
  const logWeight = logGammaWeight(a, x);
  if (a >= quadratureFrom && Math.abs(x - a) < 0.5 * a) {
    return x < a ? lowerByQuadrature(a, x, logWeight) : upperByQuadrature(a, x, logWeight);
  }
  if (x <= 1 && a < 1) return smallShape(a, x, logWeight);
  if (x < a + 1) return { isLower: true, logScale: logWeight, factor: lowerSeries(a, x) };
  return { isLower: false, logScale: logWeight, factor: a * upperFraction(a, x) };
}

/** P · Γ(a + 1) / (xᵃ e⁻ˣ) = Σ xⁿ / ((a + 1) … (a + n)). */
function lowerSeries(a: number, x: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > 1e-17 * sum; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

/** Γ(a, x) / (xᵃ e⁻ˣ) = 1/(x + 1 − a − 1 (1 − a)/(x + 3 − a − …)), modified Lentz. */
function upperFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < 100_000; n++) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    const change = c * d;
    fraction *= change;
    if (Math.abs(change - 1) < 2e-16) break;
  }
  return fraction;
}

/**
 * a < 1, x ≤ 1. Q = 1 − xᵃ/Γ(a + 1) − xᵃ/Γ(a) Σ (−x)ⁿ / (n! (a + n)), with the first difference through expm1 so that Q
 * keeps its digits for tiny a; P by its series when it is the smaller.
 */
function smallShape(a: number, x: number, logWeight: number): Tail {
  const logPower = a * Math.log(x) - logGammaOnePlus(a);
  if (logPower < -0.7) return { isLower: true, logScale: logWeight, factor: lowerSeries(a, x) };
  let term = 1;
  let sum = 0;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= -x / n;
    sum += term / (a + n);
  }
  return { isLower: false, logScale: 0, factor: -Math.expm1(logPower) - a * Math.exp(logPower) * sum };
}

function upperByQuadrature(a: number, x: number, logWeight: number): Tail {
  const slope = (x - a + 1) / x;
  const integral = tailIntegral((s) => (a - 1) * log1pmx(s / x) - slope * s, 1 / (slope + Math.sqrt(a) / x));
  return { isLower: false, logScale: logWeight, factor: (a / x) * integral };
}

function lowerByQuadrature(a: number, x: number, logWeight: number): Tail {
  const slope = (a - 1 - x) / x;
  const logRatio = (s: number) => (s < x ? (a - 1) * log1pmx(-s / x) - slope * s : Number.NEGATIVE_INFINITY);
  const integral = tailIntegral(logRatio, 1 / (Math.max(slope, 0) + Math.sqrt(a) / x));
  return { isLower: true, logScale: logWeight, factor: (a / x) * integral };
}
