import { requireNumber } from '../errors.ts';
import { twoProduct } from './double-double.ts';

/**
 * Chebyshev coefficients of (1 + 2x) exp(x²) erfc(x) on x ≥ 0 in t = (x − 3.75) / (x + 3.75); the form is that of
 * Shepherd & Laframboise, Math. Comp. 36 (1981), the numbers are ours (hack/statistics/erfcx-coefficients.py).
 */
const erfcxCoefficients: readonly number[] = [
  1.1775789345674017, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189, -0.026658668435305753,
  0.009074997670705265, -0.002413163540417608, 0.0004907758365258086, -6.916973302501207e-5, 4.13902798607301e-6,
  7.74038306619849e-7, -2.1886401049234397e-7, 1.076499946567091e-8, 4.521959811218287e-9, -7.754400208831351e-10,
  -6.318088340886684e-11, 2.86879501093067e-11, 1.9455868545777347e-13, -9.65469674843344e-13, 3.25254814814874e-14,
  3.3478119482868056e-14, -1.864562880419313e-15, -1.2507950530688648e-15, 7.418235256624044e-17, 5.068148904796111e-17,
];

/** exp(x²) for |x| < 26.6 with x² squared exactly; the sign is for exp(−x²). */
function expOfSquare(x: number, sign: 1 | -1): number {
  const { hi, lo } = twoProduct(x, x);
  return Math.exp(sign * hi) * (1 + sign * lo);
}

function erfcxOfPositive(x: number): number {
  if (x > 1e8) return 1 / (x * Math.sqrt(Math.PI));
  const t = (x - 3.75) / (x + 3.75);
  let next = 0;
  let afterNext = 0;
  for (let j = erfcxCoefficients.length - 1; j > 0; j--) {
    const here = 2 * t * next - afterNext + (erfcxCoefficients[j] as number);
    afterNext = next;
    next = here;
  }
  return (t * next - afterNext + (erfcxCoefficients[0] as number)) / (1 + 2 * x);
}

/** Scaled complementary error function exp(x²) erfc(x). Overflows to Infinity below x ≈ −26.6. */
export function erfcx(x: number): number {
  requireNumber('x', x);
  if (x >= 0) return x === Number.POSITIVE_INFINITY ? 0 : erfcxOfPositive(x);
  return x < -27 ? Number.POSITIVE_INFINITY : 2 * expOfSquare(x, 1) - erfcxOfPositive(-x);
}

/** Complementary error function 1 − erf(x), to full relative accuracy until it underflows at x ≈ 27. */
export function erfc(x: number): number {
  requireNumber('x', x);
  if (x < 0) return 2 - erfc(-x);
  if (x < 0.4) return 1 - erf(x);
  return x > 28 ? 0 : expOfSquare(x, -1) * erfcxOfPositive(x);
}

/** Error function (2/√π) ∫₀ˣ exp(−t²) dt. */
export function erf(x: number): number {
  requireNumber('x', x);
  if (Math.abs(x) >= 0.8) return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
  // exp(x²) erf(x) √π / 2 = x Σ (2x²)ⁿ / (2n + 1)!!, all terms of one sign
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > 1e-17 * Math.abs(sum); odd += 2) {
    term *= (2 * x * x) / odd;
    sum += term;
  }
  return ((2 * sum) / Math.sqrt(Math.PI)) * Math.exp(-x * x);
}
