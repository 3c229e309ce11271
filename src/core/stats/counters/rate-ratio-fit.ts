import { brent } from '../special/roots.ts';
import type { CounterInterval } from './interval.ts';

/** Log rate ratios between which the fit is sought: 1/64 .. 64. Beyond, the fit stays at the end; evidence is plain there. */
const reach = Math.log(64);

/**
 * Chebyshev points in the log rate ratio. The expected canary errors Σ nᵢ qᵢ(δ) are analytic in a strip of half-width π, so 32
 * points interpolate them to about 1e-9: all intervals are summarised by 32 numbers instead of being kept.
 */
const nodeCount = 32;
const nodes: readonly number[] = Array.from(
  { length: nodeCount },
  (_, i) => reach * Math.cos((Math.PI * (2 * i + 1)) / (2 * nodeCount)),
);
const barycentric: readonly number[] = nodes.map(
  (_, i) => (-1) ** i * Math.sin((Math.PI * (2 * i + 1)) / (2 * nodeCount)),
);

/** Sufficient statistics for the conditional fit of one rate ratio and for Pearson's chi-square at it. JSON, 37 numbers. */
export interface RateRatioFit {
  /** Intervals with at least one error in either arm. */
  readonly intervals: number;
  readonly canaryErrors: number;
  /** Σ nᵢ qᵢ at each node. */
  readonly expected: readonly number[];
  /** Σ e_c² / (n o), Σ e_c e_s / n and Σ e_s² o / n with o = R_c / R_s: then X²(θ) = first / θ − 2 second + third θ, exactly. */
  readonly canarySquares: number;
  readonly crossed: number;
  readonly stableSquares: number;
}

export const emptyRateRatioFit: RateRatioFit = {
  intervals: 0,
  canaryErrors: 0,
  expected: nodes.map(() => 0),
  canarySquares: 0,
  crossed: 0,
  stableSquares: 0,
};

/** Adds an interval; one without errors says nothing about the ratio. */
export function addToFit(fit: RateRatioFit, interval: CounterInterval): RateRatioFit {
  const { canaryErrors, stableErrors } = interval;
  const errors = canaryErrors + stableErrors;
  if (errors === 0) return fit;
  const odds = interval.canaryRequests / interval.stableRequests;
  return {
    intervals: fit.intervals + 1,
    canaryErrors: fit.canaryErrors + canaryErrors,
    expected: fit.expected.map((sum, i) => sum + errors / (1 + Math.exp(-(nodes[i] as number)) / odds)),
    canarySquares: fit.canarySquares + canaryErrors ** 2 / (errors * odds),
    crossed: fit.crossed + (canaryErrors * stableErrors) / errors,
    stableSquares: fit.stableSquares + (stableErrors ** 2 * odds) / errors,
  };
}

/**
 * The conditional maximum-likelihood log rate ratio: where Σ e_c = Σ nᵢ qᵢ(δ). Never the ratio of pooled rates, which a weight
 * ramp over a drifting baseline turns into any number (finding 2). Inside ±ln 64; 0 without errors.
 */
export function fittedLogRatio(fit: RateRatioFit): number {
  if (fit.intervals === 0) return 0;
  const surplus = (logRatio: number): number => fit.canaryErrors - interpolate(fit.expected, logRatio);
  if (surplus(reach) >= 0) return reach;
  if (surplus(-reach) <= 0) return -reach;
  return brent(surplus, -reach, reach);
}

/** Pearson's chi-square of the canary's shares of errors at a log rate ratio. */
export function pearson(fit: RateRatioFit, logRatio: number): number {
  const ratio = Math.exp(logRatio);
  return Math.max(0, fit.canarySquares / ratio - 2 * fit.crossed + fit.stableSquares * ratio);
}

/** Barycentric interpolation through the nodes (Berrut and Trefethen 2004, eq. 4.2). */
function interpolate(values: readonly number[], x: number): number {
  let above = 0;
  let below = 0;
  for (let i = 0; i < nodeCount; i++) {
    const distance = x - (nodes[i] as number);
    const value = values[i] as number;
    if (distance === 0) return value;
    const weight = (barycentric[i] as number) / distance;
    above += weight * value;
    below += weight;
  }
  return above / below;
}
