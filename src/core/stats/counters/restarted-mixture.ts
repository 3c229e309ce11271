import { requireFinite } from '../errors.ts';
import { logSumExp } from '../special/logsumexp.ts';

/** Log likelihood ratios of one run of a mixture, one for each alternative. */
interface Run {
  /** From 1; the run weighs 1 / (order (order + 1)), and all runs that ever start weigh 1 together. */
  readonly order: number;
  readonly logs: readonly number[];
}

/**
 * An e-process that starts anew again and again (experiments.md): hours of good history would delay its alarm five- to
 * ninefold. Runs go on after a restart, so evidence that spans one is not lost. JSON.
 */
export interface RestartedMixture {
  readonly runs: readonly Run[];
  /** Weighted evidence of runs that were stopped to bound the state; a stopped e-process is one. */
  readonly settled: number;
}

/** Runs kept alive: more cost state and add little, since the newest see a new fault best. */
const mostRuns = 4;

/** Far above every threshold, and far from overflow. */
const mostSettled = 1e300;

export function startMixture(alternatives: number): RestartedMixture {
  return { runs: [{ order: 1, logs: new Array<number>(alternatives).fill(0) }], settled: 0 };
}

/** Adds an interval's log likelihood ratios to every run. */
export function advanceMixture(mixture: RestartedMixture, logRatios: readonly number[]): RestartedMixture {
  const add = (log: number, i: number): number =>
    log + requireFinite('log likelihood ratio', logRatios[i] ?? Number.NaN);
  return { ...mixture, runs: mixture.runs.map(({ order, logs }) => ({ order, logs: logs.map(add) })) };
}

/** Starts a further run; the oldest above the limit stops at its present value, under the present dispersion. */
export function restartMixture(mixture: RestartedMixture, dispersion: number): RestartedMixture {
  const newest = mixture.runs.at(-1) as Run;
  const runs = [...mixture.runs, { order: newest.order + 1, logs: newest.logs.map(() => 0) }];
  const stopped = runs.slice(0, Math.max(0, runs.length - mostRuns));
  const added = stopped.reduce((sum, run) => sum + Math.exp(logWeighted(run, dispersion)), 0);
  return { runs: runs.slice(stopped.length), settled: Math.min(mostSettled, mixture.settled + added) };
}

/**
 * ln E: each run's mixture divided by the dispersion (1 for the raw process), weighted and summed; runs still to come hold
 * their 1, so E starts at 1.
 */
export function logMixtureEvidence({ runs, settled }: RestartedMixture, dispersion: number): number {
  const newest = runs.at(-1) as Run;
  const live = runs.map((run) => logWeighted(run, dispersion));
  return logSumExp([...live, Math.log(settled), -Math.log(newest.order + 1)]);
}

/** ln of the equally weighted mean of likelihood ratios. */
export const logMean = (logs: readonly number[]): number => logSumExp(logs) - Math.log(logs.length);

const logWeighted = ({ order, logs }: Run, dispersion: number): number =>
  logMean(logs) / dispersion - Math.log(order * (order + 1));
