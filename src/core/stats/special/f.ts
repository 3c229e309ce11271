import { requireNonNegative, requireNumber, requirePositive } from '../errors.ts';
import { betaQuantilePoint, betaTailAt } from './beta.ts';
import { type Tail, tailLog, tailValue } from './tail.ts';

/** The F law at x as a beta tail at df1 x / (df1 x + df2), its complement computed apart. */
function fTail(x: number, df1: number, df2: number): Tail {
  requirePositive('df1', df1);
  requirePositive('df2', df2);
  if (requireNumber('x', x) < 0) requireNonNegative('x', x);
  const ratio = (df1 / df2) * x;
  const point = ratio === Number.POSITIVE_INFINITY ? { x: 1, y: 0 } : { x: ratio / (1 + ratio), y: 1 / (1 + ratio) };
  return betaTailAt(point, df1 / 2, df2 / 2);
}

/** P(F ≤ x) for Fisher's F with df1, df2 > 0 degrees of freedom, x ≥ 0. */
export function fCdf(x: number, df1: number, df2: number): number {
  return tailValue(fTail(x, df1, df2), true);
}

/** P(F > x), accurate by itself in the tail. */
export function fSf(x: number, df1: number, df2: number): number {
  return tailValue(fTail(x, df1, df2), false);
}

/** ln P(F > x). */
export function fLogSf(x: number, df1: number, df2: number): number {
  return tailLog(fTail(x, df1, df2), false);
}

/** The x with P(F ≤ x) = p. */
export function fQuantile(p: number, df1: number, df2: number): number {
  const { x, y } = betaQuantilePoint(p, requirePositive('df1', df1) / 2, requirePositive('df2', df2) / 2);
  return (x / y) * (df2 / df1);
}

/** The x with P(F > x) = q. */
export function fQuantileSf(q: number, df1: number, df2: number): number {
  return 1 / fQuantile(q, df2, df1);
}
