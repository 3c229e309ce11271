import { requireFinite, requirePositive } from '../errors.ts';
import { logGamma } from './log-gamma.ts';
import { normalSf } from './normal.ts';

/**
 * P(T > t) of Student's t with noncentrality δ: the normal tail P(Z > t s − δ) averaged over s = √(χ²/df) by the trapezoid rule
 * in ln s, which converges geometrically for this smooth integrand. Absolute error about 1e-12; for power calculations.
 */
export function noncentralTSf(t: number, df: number, noncentrality: number): number {
  requireFinite('t', t);
  requirePositive('df', df);
  requireFinite('noncentrality', noncentrality);
  const half = df / 2;
  const logNorm = Math.LN2 + half * Math.log(half) - logGamma(half);
  const width = 1 / Math.sqrt(2 * df);
  const low = -9 * width - 40 / df;
  const high = 9 * width + Math.log1p(40 / df) / 2;
  // The normal tail turns where t s is near δ: over 1/δ in ln s, or 1/t where s is near 1. A cap keeps absurd arguments finite.
  const turn = Math.min(Math.abs(t), Math.abs(noncentrality) + 10);
  const step = Math.max(Math.min(width, 1 / (1 + turn), 0.25) / 6, (high - low) / 100_000);
  let sum = 0;
  for (let u = low; u <= high; u += step) {
    const density = Math.exp(logNorm + df * u - half * Math.exp(2 * u));
    if (density > 0) sum += density * normalSf(t * Math.exp(u) - noncentrality);
  }
  return Math.min(1, sum * step);
}
