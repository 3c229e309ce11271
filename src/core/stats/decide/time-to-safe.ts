import type { DurationMs } from '../../../base/units.ts';
import type { CounterMargin } from '../counters/counter-process.ts';
import { rateSafeLogRatios } from '../counters/rate-likelihood.ts';
import { safeLogRatios } from '../counters/rate-ratio-likelihood.ts';
import { requireNonNegative, requirePositive, requireProbability, requireUnitInterval } from '../errors.ts';
import { binomialPmf } from '../special/binomial.ts';
import { poissonPmf } from '../special/poisson.ts';
import { meanPassage, type StepwiseMixture, stepsToReach } from './first-passage.ts';

export interface Traffic {
  /** Of canary and stable together. */
  readonly requestsPerSecond: number;
  /** Today's errors per request, of stable; the canary is taken to be as good. */
  readonly errorsPerRequest: number;
  /** Part of the requests that the canary gets, inside (0, 1). */
  readonly canaryShare: number;
  /** Time between polls: safety is not claimed in the first 10. */
  readonly pollInterval: DurationMs;
  /** How much more errors vary than independent ones; 1 when unknown. */
  readonly dispersion?: number;
}

export interface SafetyGoal {
  /** 0.05. */
  readonly safeAlpha: number;
  /** The chance with which it should be reached: 0.5 for "typically", 0.8 for planning. */
  readonly probability: number;
}

export interface TimeToSafe {
  /** Until a healthy canary is `Safe` in one step; infinite when it never is at this traffic. */
  readonly time: DurationMs;
  /** Errors of both arms that the relative margin needs; undefined without one. */
  readonly errors: number | undefined;
  /** Canary requests that the absolute margin needs; undefined without one. */
  readonly canaryRequests: number | undefined;
}

const warmUpPolls = 10;
/** Steps into which the expected way to the threshold is cut: finer than any poll matters. */
const stepsOnTheWay = 300;

/** How long a healthy canary needs until it is proven safe: what admission, `lint` and `power` print (experiments.md). */
export function timeToSafe(margin: CounterMargin, traffic: Traffic, goal: SafetyGoal): TimeToSafe {
  const { requestsPerSecond, errorsPerRequest, canaryShare, pollInterval, dispersion = 1 } = requireTraffic(traffic);
  requireProbability('safeAlpha', goal.safeAlpha);
  // With both margins the mean of two e-values must get there: the better one carries it alone.
  const sides = margin.relative === undefined || margin.maxPer10k === undefined ? 1 : 2;
  const way = { threshold: dispersion * Math.log(sides / goal.safeAlpha), probability: goal.probability };
  const errors = margin.relative === undefined ? undefined : errorsToSafe(margin.relative, canaryShare, way);
  const limit = margin.maxPer10k === undefined ? undefined : margin.maxPer10k / 10_000;
  const canaryRequests = limit === undefined ? undefined : requestsToSafe(limit, errorsPerRequest, way);
  const seconds = Math.min(
    errors === undefined ? Number.POSITIVE_INFINITY : errors / (requestsPerSecond * errorsPerRequest),
    canaryRequests === undefined ? Number.POSITIVE_INFINITY : canaryRequests / (requestsPerSecond * canaryShare),
  );
  return { time: Math.max(1000 * seconds, warmUpPolls * pollInterval) as DurationMs, errors, canaryRequests };
}

interface Way {
  readonly threshold: number;
  readonly probability: number;
}

/** Errors of both arms until the ratio is shown to be below 1 + margin, for a canary that is as good as stable. */
export function errorsToSafe(margin: number, canaryShare: number, way: Way): number {
  requirePositive('margin', margin);
  requireProbability('canaryShare', canaryShare);
  const shape = { canaryRequests: canaryShare, stableRequests: 1 - canaryShare, duration: 0 as DurationMs };
  const perCanaryError = safeLogRatios({ ...shape, canaryErrors: 1, stableErrors: 0 }, margin);
  const perStableError = safeLogRatios({ ...shape, canaryErrors: 0, stableErrors: 1 }, margin);
  const growth = perCanaryError.map((log, j) => canaryShare * log + (1 - canaryShare) * (perStableError[j] as number));
  const batch = batchOf(growth, way, 1);
  if (!Number.isFinite(batch)) return batch;
  const mixture: StepwiseMixture = {
    perCount: perCanaryError.map((log, j) => log - (perStableError[j] as number)),
    perStep: perStableError.map((log) => log * batch),
    threshold: way.threshold,
  };
  const law = {
    mean: batch * canaryShare,
    variance: batch * canaryShare * (1 - canaryShare),
    pmf: (k: number) => (k > batch ? 0 : binomialPmf(k, batch, canaryShare)),
  };
  return batch * stepsToReach(mixture, law, way.probability);
}

/** Canary requests until its rate is shown to be below the limit, when it truly is `errorsPerRequest`. */
export function requestsToSafe(limit: number, errorsPerRequest: number, way: Way): number {
  requirePositive('limit', limit);
  requireUnitInterval('errorsPerRequest', errorsPerRequest);
  const shape = { stableErrors: 0, stableRequests: 0, duration: 0 as DurationMs };
  const perRequest = rateSafeLogRatios({ ...shape, canaryErrors: 0, canaryRequests: 1 }, limit);
  const perError = rateSafeLogRatios({ ...shape, canaryErrors: 1, canaryRequests: 0 }, limit);
  const growth = perRequest.map((log, j) => log + errorsPerRequest * (perError[j] as number));
  const batch = batchOf(growth, way, 0);
  if (!Number.isFinite(batch)) return batch;
  const mixture = { perCount: perError, perStep: perRequest.map((log) => log * batch), threshold: way.threshold };
  const mean = batch * errorsPerRequest;
  return batch * stepsToReach(mixture, { mean, variance: mean, pmf: (k) => poissonPmf(k, mean) }, way.probability);
}

/** Information a step: an integer of at least `least` errors, or a fraction of the requests when that is 0. */
function batchOf(growth: readonly number[], { threshold }: Way, least: number): number {
  const batch = meanPassage(growth, threshold) / stepsOnTheWay;
  return least === 0 ? batch : Math.max(least, Math.round(batch));
}

function requireTraffic(traffic: Traffic): Traffic {
  requirePositive('requestsPerSecond', traffic.requestsPerSecond);
  requireUnitInterval('errorsPerRequest', traffic.errorsPerRequest);
  requireProbability('canaryShare', traffic.canaryShare);
  requireNonNegative('pollInterval', traffic.pollInterval);
  if (traffic.dispersion !== undefined && requirePositive('dispersion', traffic.dispersion) < 1) {
    return { ...traffic, dispersion: 1 };
  }
  return traffic;
}
