import type { Random } from '../../../src/base/random.ts';
import { logGamma } from '../../../src/core/stats/special/log-gamma.ts';

/** Standard normal draws (polar method of Marsaglia and Bray 1964), one at a time. */
export function normalDraws(random: Random): () => number {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    for (;;) {
      const [u, v] = [2 * random() - 1, 2 * random() - 1];
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(s)) / s);
      spare = v * factor;
      return u * factor;
    }
  };
}

/** Poisson draw: multiplication below a mean of 30, else Hörmann's transformed rejection (1993, PTRS). */
export function poissonDraw(random: Random, mean: number): number {
  if (mean <= 0) return 0;
  if (mean < 30) {
    const floor = Math.exp(-mean);
    let product = random();
    let count = 0;
    while (product > floor) {
      count += 1;
      product *= random();
    }
    return count;
  }
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverse = 1.1239 + 1.1328 / (b - 3.4);
  const certain = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = random() - 0.5;
    const v = random();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= certain) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (Math.log((v * inverse) / (a / (us * us) + b)) <= k * Math.log(mean) - mean - logGamma(k + 1)) return k;
  }
}

/** Binomial draw by counting geometric gaps: for small p. */
export function rareBinomialDraw(random: Random, n: number, p: number): number {
  const logMiss = Math.log1p(-p);
  let count = 0;
  let at = 0;
  for (;;) {
    at += 1 + Math.floor(Math.log(1 - random()) / logMiss);
    if (at > n) return count;
    count += 1;
  }
}

/** Gamma draw of mean 1 with the given coefficient of variation (Marsaglia and Tsang 2000). */
export function gammaShock(random: Random, normal: () => number, variation: number): number {
  const shape = 1 / (variation * variation);
  // Shapes below 1 are boosted by one and thinned by a power of a uniform.
  const boosted = shape < 1 ? shape + 1 : shape;
  const d = boosted - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = random();
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
      const draw = shape < 1 ? d * v * random() ** (1 / shape) : d * v;
      return draw / shape;
    }
  }
}
