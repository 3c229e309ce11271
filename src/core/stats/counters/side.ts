import { addStretch, dispersionOf, noSpread, type Spread, warmUpDegrees } from './dispersion.ts';
import type { CounterInterval } from './interval.ts';
import {
  advanceMixture,
  logMean,
  logMixtureEvidence,
  type RestartedMixture,
  restartMixture,
  startMixture,
} from './restarted-mixture.ts';

/** One way to judge an interval against a bound: the ratio of rates, or the canary's own rate. */
export interface SideModel<Fit> {
  readonly harmAlternatives: number;
  readonly safeAlternatives: number;
  readonly usable: (interval: CounterInterval) => boolean;
  readonly harmLogs: (interval: CounterInterval, bound: number) => readonly number[];
  readonly safeLogs: (interval: CounterInterval, bound: number) => readonly number[];
  readonly pointsToHarm: (interval: CounterInterval, bound: number) => boolean;
  readonly emptyFit: Fit;
  readonly add: (fit: Fit, interval: CounterInterval) => Fit;
  readonly chiSquare: (fit: Fit) => number;
}

/** The evidence of one side. JSON. */
export interface SideState<Fit> {
  readonly harm: RestartedMixture;
  /** Log likelihood ratios for non-inferiority since the step began. */
  readonly safe: readonly number[];
  readonly intervalsPointingToHarm: number;
  /** Log likelihood ratios for harm since the start, uncorrected, each interval capped: for the warm-up. */
  readonly severe: readonly number[];
  /** Of the stretches before the last restart; the present one is in `fit`. */
  readonly spread: Spread;
  readonly fit: Fit;
}

/**
 * ln of what one interval may count for while the dispersion is unknown. A capped likelihood ratio still has mean ≤ 1, one burst
 * cannot stand for many, and three intervals can still reach 10,000 (decisions/0041).
 */
const mostOfOneInterval = Math.log(30);

export interface SideEvidence {
  /** ln E for harm, divided by the dispersion. */
  readonly logHarm: number;
  /** ln E for harm without correction, where no interval counts for more than a factor of 30: for the warm-up. */
  readonly logSevereHarm: number;
  /** ln E for non-inferiority, divided by the dispersion; at most 0 while warming up. */
  readonly logSafe: number;
  readonly dispersion: number;
  /** The dispersion is not known well enough yet. */
  readonly warmingUp: boolean;
  readonly intervalsPointingToHarm: number;
}

export const startSide = <Fit>(model: SideModel<Fit>): SideState<Fit> => ({
  harm: startMixture(model.harmAlternatives),
  safe: new Array<number>(model.safeAlternatives).fill(0),
  intervalsPointingToHarm: 0,
  severe: new Array<number>(model.harmAlternatives).fill(0),
  spread: noSpread,
  fit: model.emptyFit,
});

export function observeSide<Fit>(
  model: SideModel<Fit>,
  state: SideState<Fit>,
  interval: CounterInterval,
  bound: number,
): SideState<Fit> {
  if (!model.usable(interval)) return state;
  const safeLogs = model.safeLogs(interval, bound);
  const harmLogs = model.harmLogs(interval, bound);
  return {
    ...state,
    harm: advanceMixture(state.harm, harmLogs),
    severe: state.severe.map((log, i) => log + Math.min(mostOfOneInterval, harmLogs[i] as number)),
    safe: state.safe.map((log, i) => log + (safeLogs[i] as number)),
    intervalsPointingToHarm: state.intervalsPointingToHarm + (model.pointsToHarm(interval, bound) ? 1 : 0),
    fit: model.add(state.fit, interval),
  };
}

/** A further run for harm, and a new stretch for the fit: a fault that begins now must not count as dispersion of the past. */
export function restartHarm<Fit extends { readonly intervals: number }>(
  model: SideModel<Fit>,
  state: SideState<Fit>,
): SideState<Fit> {
  const spread = spreadOf(model, state);
  return { ...state, harm: restartMixture(state.harm, dispersionOf(spread)), spread, fit: model.emptyFit };
}

/** Non-inferiority starts anew at each step: what a low weight proved is not proved for a high one. */
export const restartSafe = <Fit>(state: SideState<Fit>): SideState<Fit> => ({
  ...state,
  safe: state.safe.map(() => 0),
});

export function sideEvidence<Fit extends { readonly intervals: number }>(
  model: SideModel<Fit>,
  state: SideState<Fit>,
): SideEvidence {
  const spread = spreadOf(model, state);
  const dispersion = dispersionOf(spread);
  const warmingUp = spread.degrees < warmUpDegrees;
  const logSafe = logMean(state.safe) / dispersion;
  return {
    logHarm: logMixtureEvidence(state.harm, dispersion),
    logSevereHarm: logMean(state.severe),
    logSafe: warmingUp ? Math.min(0, logSafe) : logSafe,
    dispersion,
    warmingUp,
    intervalsPointingToHarm: state.intervalsPointingToHarm,
  };
}

const spreadOf = <Fit extends { readonly intervals: number }>(model: SideModel<Fit>, state: SideState<Fit>): Spread =>
  addStretch(state.spread, model.chiSquare(state.fit), state.fit.intervals);
