import { requireCount, requireNumber, requireProbability, statsError } from '../errors.ts';
import { logAddExp, logSumExp } from '../special/logsumexp.ts';
import { logSrmEValue } from './multinomial-bayes-factor.ts';

/** Units of one phase (arms and weights do not change inside it), each counted once, at first exposure. */
export interface PhaseCounts {
  readonly shares: readonly number[];
  readonly counts: readonly number[];
}

/** A value of a dimension, such as one country or one exposure day, over all phases. */
export interface DimensionCell {
  readonly dimension: string;
  /** Order of first appearance inside the dimension, from 1. It fixes the cell's weight before any of its units came. */
  readonly order: number;
  readonly phases: readonly PhaseCounts[];
}

export interface SrmCounts {
  readonly phases: readonly PhaseCounts[];
  /** Dimensions are chosen before start; their values may appear at any time. */
  readonly dimensions: readonly string[];
  readonly cells: readonly DimensionCell[];
}

/** All that must be kept between looks: JSON, one number. */
export interface SrmState {
  readonly maxLogE: number;
}

export interface SrmThresholds {
  /** Default 0.01. */
  readonly warnBelow: number;
  /** Default 0.001: no decision is taken, and by policy the experiment is paused. */
  readonly blockBelow: number;
}

export interface SrmVerdict {
  readonly state: SrmState;
  /** ln E now; the p-value uses its highest value so far. */
  readonly logE: number;
  /** Always valid: min(1, 1 / max E). */
  readonly pValue: number;
  readonly verdict: 'Fits' | 'Warn' | 'SampleRatioMismatch';
}

const defaultThresholds: SrmThresholds = { warnBelow: 0.01, blockBelow: 0.001 };

/** Before the first look. */
export const startSrm = (): SrmState => ({ maxLogE: 0 });

/**
 * One look at the sample ratio, as often as one likes: phases multiply (each has its own salt, so they are independent), half
 * the weight stands on the whole and half on the dimensions, shared equally; inside a dimension the cell that appeared as
 * j-th weighs 1 / (j (j + 1)) and cells still to come count as 1. The mix is again an e-process, so P(p ≤ x) ≤ x at any time.
 */
export function lookAtSrm(state: SrmState, seen: SrmCounts, thresholds: SrmThresholds = defaultThresholds): SrmVerdict {
  requireProbability('warnBelow', thresholds.warnBelow);
  requireProbability('blockBelow', thresholds.blockBelow);
  const whole = logOfPhases(seen.phases);
  const logE =
    seen.dimensions.length === 0 ? whole : logAddExp(whole, logOfDimensions(seen.dimensions, seen.cells)) - Math.LN2;
  // Units where none may be make E infinite, which JSON cannot hold.
  const maxLogE = Math.min(Math.max(requireNumber('maxLogE', state.maxLogE), logE), Number.MAX_VALUE);
  const pValue = Math.exp(-maxLogE);
  return { state: { maxLogE }, logE, pValue, verdict: verdictOf(pValue, thresholds) };
}

function verdictOf(pValue: number, { warnBelow, blockBelow }: SrmThresholds): SrmVerdict['verdict'] {
  if (pValue < blockBelow) return 'SampleRatioMismatch';
  return pValue < warnBelow ? 'Warn' : 'Fits';
}

const logOfPhases = (phases: readonly PhaseCounts[]): number =>
  phases.reduce((sum, { counts, shares }) => sum + logSrmEValue(counts, shares), 0);

function logOfDimensions(dimensions: readonly string[], cells: readonly DimensionCell[]): number {
  const logs = dimensions.map((dimension) => logOfDimension(cells.filter((cell) => cell.dimension === dimension)));
  return logSumExp(logs) - Math.log(dimensions.length);
}

function logOfDimension(cells: readonly DimensionCell[]): number {
  for (const { order } of cells) {
    if (requireCount('order', order) === 0) throw statsError('SLUICE_STATS_ARGUMENT', 'order counts from 1');
  }
  const used = cells.reduce((sum, { order }) => sum + 1 / (order * (order + 1)), 0);
  const logs = cells.map(({ order, phases }) => logOfPhases(phases) - Math.log(order * (order + 1)));
  return logSumExp([...logs, Math.log(Math.max(0, 1 - used))]);
}
