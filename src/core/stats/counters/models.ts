import { addToRateFit, emptyRateFit, type RateFit, ratePearson } from './rate-fit.ts';
import {
  rateHarmAlternatives,
  rateHarmLogRatios,
  ratePointsToHarm,
  rateSafeAlternatives,
  rateSafeLogRatios,
} from './rate-likelihood.ts';
import { addToFit, emptyRateRatioFit, fittedLogRatio, pearson, type RateRatioFit } from './rate-ratio-fit.ts';
import {
  harmAlternatives,
  harmLogRatios,
  pointsToHarm,
  safeAlternatives,
  safeLogRatios,
} from './rate-ratio-likelihood.ts';
import type { SideModel } from './side.ts';

/** Canary's error rate against (1 + bound) times stable's; an interval without errors or without one arm's traffic is silent. */
export const rateRatioModel: SideModel<RateRatioFit> = {
  harmAlternatives,
  safeAlternatives,
  usable: (interval) =>
    interval.canaryRequests > 0 && interval.stableRequests > 0 && interval.canaryErrors + interval.stableErrors > 0,
  harmLogs: harmLogRatios,
  safeLogs: safeLogRatios,
  pointsToHarm,
  emptyFit: emptyRateRatioFit,
  add: addToFit,
  chiSquare: (fit) => pearson(fit, fittedLogRatio(fit)),
};

/** Canary's error rate against a fixed number of errors a request. */
export const rateModel: SideModel<RateFit> = {
  harmAlternatives: rateHarmAlternatives,
  safeAlternatives: rateSafeAlternatives,
  usable: (interval) => interval.canaryRequests > 0,
  harmLogs: rateHarmLogRatios,
  safeLogs: rateSafeLogRatios,
  pointsToHarm: ratePointsToHarm,
  emptyFit: emptyRateFit,
  add: addToRateFit,
  chiSquare: ratePearson,
};
