/** (−1)ᵏ (ζ(k) − 1) / k for k = 2, 3, …: the Taylor coefficients of lgamma(2 + z) without its linear term (DLMF 5.7.3). */
const zetaCoefficients: readonly number[] = [
  0.3224670334241132, -0.0673523010531981, 0.020580808427784546, -0.007385551028673986, 0.0028905103307415234,
  -0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939, 9.945751278180853e-5, -4.492623673813314e-5,
  2.050721277567069e-5, -9.439488275268397e-6, 4.374866789907488e-6, -2.039215753801366e-6, 9.55141213040742e-7,
  -4.492469198764566e-7, 2.1207184805554665e-7, -1.0043224823968099e-7, 4.7698101693639804e-8, -2.2711094608943164e-8,
  1.0838659214896955e-8, -5.183475041970047e-9, 2.4836745438024785e-9, -1.1921401405860912e-9, 5.731367241678862e-10,
  -2.7595228851242334e-10,
];
const oneMinusEuler = 0.42278433509846713;
const halfLogTwoPi = 0.9189385332046728;

/** Bernoulli terms of Stirling's series, B₂ₖ / (2k (2k − 1)) (DLMF 5.11.1). */
const stirlingCoefficients: readonly number[] = [
  1 / 12,
  -1 / 360,
  1 / 1260,
  -1 / 1680,
  1 / 1188,
  -691 / 360360,
  1 / 156,
  -3617 / 122400,
  43867 / 244188,
];

/** lgamma(2 + z) for |z| ≤ 1/2, to relative accuracy at its zero. */
function logGammaNearTwo(z: number): number {
  let sum = 0;
  for (let k = zetaCoefficients.length - 1; k >= 0; k--) sum = sum * z + (zetaCoefficients[k] as number);
  return z * (oneMinusEuler + z * sum);
}

/** lgamma(1 + z) for −1/2 ≤ z ≤ 3/2, to relative accuracy at its zeros 0 and 1. */
export function logGammaOnePlus(z: number): number {
  return z > 0.5 ? logGammaNearTwo(z - 1) : logGammaNearTwo(z) - Math.log1p(z);
}

function stirlingSeries(x: number): number {
  const inverseSquare = 1 / (x * x);
  let sum = 0;
  for (let k = stirlingCoefficients.length - 1; k >= 0; k--) {
    sum = sum * inverseSquare + (stirlingCoefficients[k] as number);
  }
  return sum / x;
}

/** ln Γ(x) for x > 0: relative accuracy about 1e-15, also at the zeros 1 and 2. No guard. */
export function logGamma(x: number): number {
  if (x < 0.5) return logGammaOnePlus(x) - Math.log(x);
  if (x < 2.5) return logGammaOnePlus(x - 1);
  if (x > 1e300) return x * (Math.log(x) - 1);
  if (x >= 12) return (x - 0.5) * Math.log(x) - x + (halfLogTwoPi + stirlingSeries(x));
  let product = 1;
  let reduced = x;
  while (reduced > 2.5) {
    reduced -= 1;
    product *= reduced;
  }
  return Math.log(product) + logGammaNearTwo(reduced - 2);
}

/**
 * Stirling's error ln Γ(x + 1) − (x + 1/2) ln x + x − ln √2π, for x > 0: small and smooth, where lgamma itself is large
 * and would lose digits in differences. Absolute accuracy about 1e-15. No guard.
 */
export function stirlingError(x: number): number {
  if (x >= 12) return stirlingSeries(x);
  const logGammaNext = x < 1.5 ? logGammaOnePlus(x) : logGamma(x) + Math.log(x);
  return logGammaNext - (x + 0.5) * Math.log(x) + x - halfLogTwoPi;
}

/** ln Γ(x + step) − ln Γ(x) for x, step > 0, relative to the difference itself, also for tiny steps. */
export function logGammaIncrease(x: number, step: number): number {
  let base = x;
  let shifted = 0;
  for (; base < 12; base++) shifted += Math.log1p(step / base);
  const smooth = (base - 0.5) * Math.log1p(step / base) + step * (Math.log(base + step) - 1);
  return smooth + (stirlingSeries(base + step) - stirlingSeries(base)) - shifted;
}
