import type { DurationMs } from '../../../base/units.ts';
import { requireNonNegative, requirePositive, statsError } from '../errors.ts';
import { logAddExp } from '../special/logsumexp.ts';
import { type CounterInterval, requireInterval } from './interval.ts';
import { rateModel, rateRatioModel } from './models.ts';
import type { RateFit } from './rate-fit.ts';
import { fittedLogRatio, type RateRatioFit } from './rate-ratio-fit.ts';
import {
  observeSide,
  restartHarm,
  restartSafe,
  type SideEvidence,
  type SideState,
  sideEvidence,
  startSide,
} from './side.ts';

/** How long harm waits within one step before its process starts once more. */
const holdPerRun = (30 * 60 * 1000) as DurationMs;

/**
 * What the canary may do. With both, it is acceptable when its rate is below **either**: harm needs evidence against both,
 * and safety needs the mean of both e-values.
 */
export interface CounterMargin {
  /** Relative to stable: 0.5 tolerates 1.5 times its error rate. */
  readonly relative?: number;
  /** Errors in 10,000 requests that are tolerated whatever stable does: for services without errors. */
  readonly maxPer10k?: number;
}

/** The always-valid comparison of one error counter, canary against stable. JSON, about 80 numbers. */
export interface CounterState {
  readonly margin: CounterMargin;
  readonly sinceRestart: DurationMs;
  readonly ratio?: SideState<RateRatioFit>;
  readonly rate?: SideState<RateFit>;
}

export interface CounterEvidence {
  /** Harm is shown only when every side shows it. */
  readonly sides: readonly SideEvidence[];
  /** ln of the mean e-value for non-inferiority since the step began. */
  readonly logSafe: number;
  /** Canary's error rate over stable's since the last restart (conditional fit); undefined without errors or without that side. */
  readonly rateRatio: number | undefined;
}

/** Throws SLUICE_STATS_ARGUMENT for a margin without any bound, a negative relative one, or a maxPer10k outside (0, 10,000). */
export function startCounter(margin: CounterMargin): CounterState {
  const { relative, maxPer10k } = margin;
  if (relative === undefined && maxPer10k === undefined) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'a counter needs a relative margin, maxPer10k, or both');
  }
  if (relative !== undefined) requireNonNegative('relative margin', relative);
  if (maxPer10k !== undefined && requirePositive('maxPer10k', maxPer10k) >= 10_000) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'maxPer10k must be below 10,000', { maxPer10k });
  }
  return {
    margin,
    sinceRestart: 0 as DurationMs,
    ...(relative === undefined ? {} : { ratio: startSide(rateRatioModel) }),
    ...(maxPer10k === undefined ? {} : { rate: startSide(rateModel) }),
  };
}

/** Adds one interval. Harm starts a further run when the last one is 30 minutes old. */
export function observeCounter(state: CounterState, interval: CounterInterval): CounterState {
  requireInterval(interval);
  const due = state.sinceRestart >= holdPerRun ? restartCounterHarm(state) : state;
  const { ratio, rate, margin } = due;
  return {
    margin,
    sinceRestart: (due.sinceRestart + interval.duration) as DurationMs,
    ...(ratio && { ratio: observeSide(rateRatioModel, ratio, interval, margin.relative ?? 0) }),
    ...(rate && { rate: observeSide(rateModel, rate, interval, (margin.maxPer10k ?? 0) / 10_000) }),
  };
}

/** A new step, with another weight: harm starts a further run, non-inferiority is to be shown anew. */
export function enterCounterStep(state: CounterState): CounterState {
  const { ratio, rate, ...rest } = restartCounterHarm(state);
  return { ...rest, ...(ratio && { ratio: restartSafe(ratio) }), ...(rate && { rate: restartSafe(rate) }) };
}

/** What the counter shows now, for `judgeGuardrail`. */
export function counterEvidence({ ratio, rate }: CounterState): CounterEvidence {
  const sides = [
    ...(ratio ? [sideEvidence(rateRatioModel, ratio)] : []),
    ...(rate ? [sideEvidence(rateModel, rate)] : []),
  ];
  const logSafe = sides.map((side) => side.logSafe).reduce(logAddExp) - Math.log(sides.length);
  const seen = ratio && ratio.fit.intervals > 0;
  return { sides, logSafe, rateRatio: seen ? Math.exp(fittedLogRatio(ratio.fit)) : undefined };
}

function restartCounterHarm(state: CounterState): CounterState {
  const { margin, ratio, rate, sinceRestart } = state;
  // Nothing came since the last restart: a further run would only cost weight.
  if (sinceRestart === 0) return state;
  return {
    margin,
    sinceRestart: 0 as DurationMs,
    ...(ratio && { ratio: restartHarm(rateRatioModel, ratio) }),
    ...(rate && { rate: restartHarm(rateModel, rate) }),
  };
}
