import { requireNumber, requirePositive, requireUnitInterval } from '../errors.ts';
import { betaQuantilePoint, betaTailAt, lbeta } from './beta.ts';
import { stirlingError } from './log-gamma.ts';
import { type Tail, tailLog, tailValue } from './tail.ts';

/** P(|T| > |t|) as a beta tail at x = df / (df + t²), its complement computed apart. */
function twoSidedTail(t: number, degrees: number): Tail {
  // Beyond 1e18 the law is normal to 12 digits wherever it does not underflow.
  const df = Math.min(requirePositive('df', degrees), 1e18);
  const root = Math.abs(requireNumber('t', t)) / Math.sqrt(df);
  if (root > 1e9) return leadingPower(Math.abs(t), df);
  const ratio = root * root;
  return betaTailAt({ x: 1 / (1 + ratio), y: ratio / (1 + ratio) }, df / 2, 0.5);
}

/** x^(df/2) / (df/2 · B(df/2, 1/2)): all that is left where x < 1e-18, and t² may overflow. */
function leadingPower(t: number, df: number): Tail {
  if (t === Number.POSITIVE_INFINITY) return { isLower: true, logScale: 0, factor: 0 };
  const logBeta = lbeta(df / 2, 0.5);
  return { isLower: true, logScale: df * (Math.log(df) / 2 - Math.log(t)) - logBeta, factor: 2 / df };
}

/** P(T > t) for Student's t with df > 0 degrees of freedom, accurate by itself in the tail. */
export function tSf(t: number, df: number): number {
  const tail = twoSidedTail(t, df);
  return t >= 0 ? tailValue(tail, true) / 2 : 0.5 + tailValue(tail, false) / 2;
}

/** P(T ≤ t). */
export function tCdf(t: number, df: number): number {
  return tSf(-requireNumber('t', t), df);
}

/** ln P(T > t). */
export function tLogSf(t: number, df: number): number {
  const tail = twoSidedTail(t, df);
  return t >= 0 ? tailLog(tail, true) - Math.LN2 : Math.log1p(-tailValue(tail, true) / 2);
}

/** ln P(T ≤ t). */
export function tLogCdf(t: number, df: number): number {
  return tLogSf(-requireNumber('t', t), df);
}

/** Log density of Student's t. */
export function tLogPdf(t: number, df: number): number {
  requireNumber('t', t);
  requirePositive('df', df);
  // Γ((df + 1)/2) / (Γ(df/2) √(df/2)) tends to 1: its log through Stirling errors, the large parts cancelled by hand
  const half = df / 2;
  const logRatio = half * Math.log1p(0.5 / half) - 0.5 + stirlingError(half + 0.5) - stirlingError(half);
  return logRatio - Math.log(2 * Math.PI) / 2 - ((df + 1) / 2) * Math.log1p((t / df) * t);
}

/** The t with P(T ≤ t) = p; ±Infinity at the ends. */
export function tQuantile(p: number, df: number): number {
  requireUnitInterval('p', p);
  return p <= 0.5 ? 0 - tQuantileSf(p, df) : fromTwoSided(2 * (p - 0.5), df, false);
}

/** The t with P(T > t) = q, for upper tails down to 5e-324; Infinity where t passes about 1e154 √df. */
export function tQuantileSf(q: number, df: number): number {
  requireUnitInterval('q', q);
  if (q > 0.5) return -fromTwoSided(2 * (q - 0.5), df, false);
  return q > 0.25 ? fromTwoSided(2 * (0.5 - q), df, false) : fromTwoSided(2 * q, df, true);
}

/** The t ≥ 0 with P(|T| > t) = mass (`outer`) or P(|T| < t) = mass. */
function fromTwoSided(mass: number, df: number, outer: boolean): number {
  requirePositive('df', df);
  if (mass === 0) return outer ? Number.POSITIVE_INFINITY : 0;
  const { x, y } = outer ? betaQuantilePoint(mass, df / 2, 0.5) : swapped(betaQuantilePoint(mass, 0.5, df / 2));
  return Math.sqrt(df) * Math.sqrt(y / x);
}

const swapped = ({ x, y }: { x: number; y: number }) => ({ x: y, y: x });
