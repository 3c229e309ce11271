import type { CounterInterval } from './interval.ts';

const harmSteps: readonly number[] = [1.1, 1.25, 1.5, 2, 3, 5, 10];
const safeSteps: readonly number[] = [0.75, 0.5, 0.25, 0.1];

export const rateHarmAlternatives = harmSteps.length;
export const rateSafeAlternatives = safeSteps.length;

/**
 * ln of Poisson likelihood ratios of the canary's errors against "at most `limit` errors a request". For services that have no
 * errors, where a ratio to stable's rate never learns. Also valid for requests that fail independently: a binomial sum's
 * generating function is below that of the Poisson law with its mean.
 */
export const rateHarmLogRatios = (interval: CounterInterval, limit: number): number[] =>
  harmSteps.map((step) => logLikelihoodRatio(interval, limit, step));

/** The same against "at least `limit` errors a request". */
export const rateSafeLogRatios = (interval: CounterInterval, limit: number): number[] =>
  safeSteps.map((step) => logLikelihoodRatio(interval, limit, step));

export const ratePointsToHarm = (interval: CounterInterval, limit: number): boolean =>
  interval.canaryErrors > limit * interval.canaryRequests;

const logLikelihoodRatio = (interval: CounterInterval, limit: number, step: number): number =>
  interval.canaryErrors * Math.log(step) - interval.canaryRequests * limit * (step - 1);
