import { requireCount, requireNumber, requireUnitInterval } from '../errors.ts';
import { betaTailAt } from './beta.ts';
import { logBetaWeight, unitPoint } from './beta-tails.ts';
import { type Tail, tailLog, tailValue } from './tail.ts';

/** ln P(X = k) for n trials of probability p; −Infinity where k is not a count in 0 … n (Loader's saddle-point form). */
export function binomialLogPmf(k: number, n: number, p: number): number {
  requireCount('n', n);
  requireUnitInterval('p', p);
  if (!Number.isInteger(requireNumber('k', k)) || k < 0 || k > n) return Number.NEGATIVE_INFINITY;
  if (p === 0 || p === 1) return k === (p === 0 ? 0 : n) ? 0 : Number.NEGATIVE_INFINITY;
  if (k === 0) return n * Math.log1p(-p);
  if (k === n) return n * Math.log(p);
  // C(n, k) pᵏ qⁿ⁻ᵏ = pᵏ qⁿ⁻ᵏ / B(k, n − k) · n / (k (n − k))
  return logBetaWeight(k, n - k, unitPoint(p)) + Math.log(n / k / (n - k));
}

/** P(X = k). */
export function binomialPmf(k: number, n: number, p: number): number {
  return Math.exp(binomialLogPmf(k, n, p));
}

/** X ≤ k as the upper beta tail 1 − I_p(k + 1, n − k). */
function tailAt(k: number, n: number, p: number): Tail {
  requireCount('n', n);
  requireUnitInterval('p', p);
  const whole = Math.floor(requireNumber('k', k));
  if (whole < 0) return { isLower: false, logScale: 0, factor: 0 };
  if (whole >= n) return { isLower: true, logScale: 0, factor: 0 };
  return betaTailAt(unitPoint(p), whole + 1, n - whole);
}

/** P(X ≤ k); k is rounded down. */
export function binomialCdf(k: number, n: number, p: number): number {
  return tailValue(tailAt(k, n, p), false);
}

/** P(X > k), accurate by itself in the tail; k is rounded down. */
export function binomialSf(k: number, n: number, p: number): number {
  return tailValue(tailAt(k, n, p), true);
}

/** ln P(X ≤ k). */
export function binomialLogCdf(k: number, n: number, p: number): number {
  return tailLog(tailAt(k, n, p), false);
}

/** ln P(X > k). */
export function binomialLogSf(k: number, n: number, p: number): number {
  return tailLog(tailAt(k, n, p), true);
}
