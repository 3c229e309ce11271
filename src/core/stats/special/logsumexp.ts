import { requireNumber, statsError } from '../errors.ts';

/** ln(eᵃ + eᵇ) without overflow. */
export function logAddExp(a: number, b: number): number {
  requireNumber('a', a);
  requireNumber('b', b);
  const high = Math.max(a, b);
  const low = Math.min(a, b);
  return high === low ? high + Math.LN2 : high + Math.log1p(Math.exp(low - high));
}

/** ln(eᵃ − eᵇ) for a ≥ b; −Infinity when they are equal. */
export function logDiffExp(a: number, b: number): number {
  requireNumber('a', a);
  requireNumber('b', b);
  if (b > a) throw statsError('SLUICE_STATS_ARGUMENT', `a must be at least b, not ${a} < ${b}`, { a, b });
  if (a === b) return Number.NEGATIVE_INFINITY;
  return b - a > -Math.LN2 ? a + Math.log(-Math.expm1(b - a)) : a + Math.log1p(-Math.exp(b - a));
}

/** ln Σ exp(xᵢ) without overflow; −Infinity for an empty list. */
export function logSumExp(values: readonly number[]): number {
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) high = Math.max(high, requireNumber('value', value));
  if (!Number.isFinite(high)) return high;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - high);
  return high + Math.log(sum);
}
