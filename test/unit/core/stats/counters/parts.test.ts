import { expect, test } from 'vitest';
import type { DurationMs } from '../../../../../src/base/units.ts';
import { addStretch, dispersionOf, noSpread } from '../../../../../src/core/stats/counters/dispersion.ts';
import { addToRateFit, emptyRateFit, ratePearson } from '../../../../../src/core/stats/counters/rate-fit.ts';
import { ratePointsToHarm } from '../../../../../src/core/stats/counters/rate-likelihood.ts';
import { pointsToHarm } from '../../../../../src/core/stats/counters/rate-ratio-likelihood.ts';
import {
  advanceMixture,
  logMixtureEvidence,
  restartMixture,
  startMixture,
} from '../../../../../src/core/stats/counters/restarted-mixture.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

const interval = (canaryErrors: number, canaryRequests: number, stableErrors: number, stableRequests: number) => ({
  canaryErrors,
  canaryRequests,
  stableErrors,
  stableRequests,
  duration: 30_000 as DurationMs,
});

test('the rate fit is the textbook chi-square around the common rate', () => {
  const seen = [interval(3, 100, 0, 1), interval(9, 150, 0, 1), interval(1, 50, 0, 1)];
  const rate = 13 / 300;
  const chiSquare = seen.reduce(
    (sum, { canaryErrors: e, canaryRequests: r }) => sum + (e - rate * r) ** 2 / (rate * r),
    0,
  );
  expectRelative(ratePearson(seen.reduce(addToRateFit, emptyRateFit)), chiSquare, 1e-12);
  expect(seen.reduce(addToRateFit, emptyRateFit).intervals).toBe(3);
  expect(ratePearson(addToRateFit(emptyRateFit, interval(0, 100, 0, 1)))).toBe(0);
});

test('stretches add chi-square and degrees, one less than intervals each; a single interval says nothing', () => {
  const two = addStretch(noSpread, 3, 2);
  expect(two).toEqual({ chiSquare: 3, degrees: 1 });
  expect(addStretch(two, 7, 5)).toEqual({ chiSquare: 10, degrees: 5 });
  expect(addStretch(two, 7, 1)).toBe(two);
  expect([
    dispersionOf(noSpread),
    dispersionOf({ chiSquare: 10, degrees: 5 }),
    dispersionOf({ chiSquare: 4, degrees: 5 }),
  ]).toEqual([1, 2, 1]);
});

test('evidence of a run is divided by the dispersion; half the weight waits for runs to come', () => {
  const mixture = advanceMixture(startMixture(2), [6, 6]);
  for (const dispersion of [1, 2, 3]) {
    const expected = Math.log(Math.exp(6 / dispersion) / 2 + 1 / 2);
    expectRelative(logMixtureEvidence(mixture, dispersion), expected, 1e-12);
  }
});

test('after restarts each run keeps its weight 1 / (k (k + 1)), also the one that was stopped at its dispersion', () => {
  let mixture = advanceMixture(startMixture(1), [8]);
  for (let k = 0; k < 4; k++) mixture = advanceMixture(restartMixture(mixture, 2), [1]);
  expect(mixture.runs.map(({ order, logs }) => [order, logs[0]])).toEqual([
    [2, 4],
    [3, 3],
    [4, 2],
    [5, 1],
  ]);
  // The first run had seen 8 + 1 + 1 + 1 when the fifth began.
  const stopped = Math.exp(11 / 2) / 2;
  expectRelative(mixture.settled, stopped, 1e-12);
  const live = Math.exp(4 / 2) / 6 + Math.exp(3 / 2) / 12 + Math.exp(2 / 2) / 20 + Math.exp(1 / 2) / 30;
  expectAbsolute(logMixtureEvidence(mixture, 2), Math.log(stopped + live + 1 / 6), 1e-12);
});

test('an interval points to harm when the canary is beyond the margin, not at it', () => {
  expect(pointsToHarm(interval(15, 1000, 100, 10_000), 0.5)).toBe(false);
  expect(pointsToHarm(interval(16, 1000, 100, 10_000), 0.5)).toBe(true);
  expect(pointsToHarm(interval(14, 1000, 100, 10_000), 0.5)).toBe(false);
  expect(pointsToHarm(interval(1, 1000, 0, 10_000), 0.5)).toBe(true);
  expect(ratePointsToHarm(interval(2, 1000, 0, 1), 0.002)).toBe(false);
  expect(ratePointsToHarm(interval(3, 1000, 0, 1), 0.002)).toBe(true);
});
