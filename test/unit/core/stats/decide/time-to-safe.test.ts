import { expect, test } from 'vitest';
import { seededRandom } from '../../../../../src/base/random.ts';
import type { DurationMs } from '../../../../../src/base/units.ts';
import { safeLogRatios } from '../../../../../src/core/stats/counters/rate-ratio-likelihood.ts';
import { logMean } from '../../../../../src/core/stats/counters/restarted-mixture.ts';
import { stepsToReach } from '../../../../../src/core/stats/decide/first-passage.ts';
import {
  errorsToSafe,
  requestsToSafe,
  type Traffic,
  timeToSafe,
} from '../../../../../src/core/stats/decide/time-to-safe.ts';
import { binomialPmf } from '../../../../../src/core/stats/special/binomial.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

const half = { threshold: Math.log(20), probability: 0.5 };
const traffic: Traffic = {
  requestsPerSecond: 200,
  errorsPerRequest: 0.005,
  canaryShare: 0.1,
  pollInterval: 10_000 as DurationMs,
};
const goal = { safeAlpha: 0.05, probability: 0.5 };

test('a margin of 0.5 needs a few hundred errors at 10 % weight, one of 0.1 some thousands', () => {
  expect(errorsToSafe(0.5, 0.1, half)).toBeGreaterThan(240);
  expect(errorsToSafe(0.5, 0.1, half)).toBeLessThan(320);
  expect(errorsToSafe(0.1, 0.1, half)).toBeGreaterThan(6_500);
  expect(errorsToSafe(0.1, 0.1, half)).toBeLessThan(8_500);
});

test('the median agrees with a simulation of single errors', () => {
  const random = seededRandom(3);
  const shape = { canaryRequests: 1, stableRequests: 9, duration: 0 as DurationMs };
  const canary = safeLogRatios({ ...shape, canaryErrors: 1, stableErrors: 0 }, 1);
  const stable = safeLogRatios({ ...shape, canaryErrors: 0, stableErrors: 1 }, 1);
  const passages = Array.from({ length: 2000 }, () => {
    let logs = canary.map(() => 0);
    for (let errors = 1; ; errors++) {
      const step = random() < 0.1 ? canary : stable;
      logs = logs.map((log, j) => log + step[j]!);
      if (logMean(logs) >= Math.log(20)) return errors;
      if (errors > 5_000) return errors;
    }
  }).sort((a, b) => a - b);
  expectRelative(errorsToSafe(1, 0.1, half), passages[1000]!, 0.1);
});

test('the normal lattice for large steps agrees with exact counts', () => {
  const growth = [0.05, -0.02];
  const mixture = (batch: number) => ({
    perCount: [-1, -0.5],
    perStep: growth.map((g, j) => batch * (g + [0.5, 0.25][j]!)),
    threshold: 12,
  });
  const exact = stepsToReach(mixture(300), { mean: 150, variance: 75, pmf: (k) => binomialPmf(k, 300, 0.5) }, 0.5);
  const normal = stepsToReach(mixture(300), { mean: 150, variance: 100.001, pmf: () => Number.NaN }, 0.5);
  expectAbsolute(normal, exact, 1);
});

test('more confidence, a smaller margin, less weight and more dispersion all take longer', () => {
  const base = timeToSafe({ relative: 0.5 }, traffic, goal).time;
  expect(timeToSafe({ relative: 0.5 }, traffic, { ...goal, probability: 0.8 }).time).toBeGreaterThan(base);
  expect(timeToSafe({ relative: 0.3 }, traffic, goal).time).toBeGreaterThan(base);
  expect(timeToSafe({ relative: 0.5 }, { ...traffic, canaryShare: 0.02 }, goal).time).toBeGreaterThan(base);
  expect(timeToSafe({ relative: 0.5 }, { ...traffic, dispersion: 2 }, goal).time).toBeGreaterThan(1.5 * base);
  expect(timeToSafe({ relative: 0.5 }, { ...traffic, dispersion: 0.5 }, goal).time).toBe(base);
});

test('a service without errors is never safe by a relative margin and soon by an absolute one', () => {
  const silent = { ...traffic, errorsPerRequest: 0 };
  expect(timeToSafe({ relative: 0.5 }, silent, goal).time).toBe(Number.POSITIVE_INFINITY);
  const { time, canaryRequests } = timeToSafe({ relative: 0.5, maxPer10k: 1 }, silent, goal);
  // ln(40) with the bet on a tenth of the limit: about 5 / limit requests.
  expect(canaryRequests).toBeGreaterThan(30_000);
  expect(canaryRequests).toBeLessThan(60_000);
  expectRelative(time, (canaryRequests! / 20) * 1000, 1e-12);
});

test('a canary whose errors are at the limit is never shown to be below it', () => {
  expect(requestsToSafe(1e-4, 1e-4, half)).toBe(Number.POSITIVE_INFINITY);
  expect(requestsToSafe(1e-4, 5e-5, half)).toBeGreaterThan(requestsToSafe(1e-4, 1e-5, half));
});

test('safety takes at least the warm-up', () => {
  expect(timeToSafe({ relative: 0.5 }, { ...traffic, requestsPerSecond: 1e6 }, goal).time).toBe(100_000);
});

test('bad traffic is refused', () => {
  const refused = (part: Partial<Traffic>) =>
    expect(() => timeToSafe({ relative: 0.5 }, { ...traffic, ...part }, goal)).toThrow('SLUICE_STATS_ARGUMENT');
  refused({ requestsPerSecond: 0 });
  refused({ errorsPerRequest: 1.5 });
  refused({ canaryShare: 1 });
  refused({ canaryShare: Number.NaN });
  refused({ dispersion: Number.NaN });
  expect(() => timeToSafe({ relative: 0 }, traffic, goal)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => timeToSafe({ relative: 0.5 }, traffic, { ...goal, probability: 0 })).toThrow('SLUICE_STATS_ARGUMENT');
});
