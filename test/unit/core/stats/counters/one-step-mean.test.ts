import { expect, test } from 'vitest';
import type { DurationMs } from '../../../../../src/base/units.ts';
import type { CounterInterval } from '../../../../../src/core/stats/counters/interval.ts';
import { rateHarmLogRatios, rateSafeLogRatios } from '../../../../../src/core/stats/counters/rate-likelihood.ts';
import { harmLogRatios, safeLogRatios } from '../../../../../src/core/stats/counters/rate-ratio-likelihood.ts';
import {
  advanceMixture,
  logMixtureEvidence,
  restartMixture,
  startMixture,
} from '../../../../../src/core/stats/counters/restarted-mixture.ts';
import { binomialPmf } from '../../../../../src/core/stats/special/binomial.ts';
import { poissonPmf } from '../../../../../src/core/stats/special/poisson.ts';
import { expectAbsolute } from '../../../../support/close.ts';

// An e-process stands or falls with the mean of one step: here over all outcomes, not by simulation.

type Law = (errors: number, requests: number, rate: number) => number;
const poisson: Law = (errors, requests, rate) => poissonPmf(errors, requests * rate);
const bernoulli: Law = (errors, requests, rate) => (errors > requests ? 0 : binomialPmf(errors, requests, rate));

const canaryRequests = 40;
const stableRequests = 90;

/** Mean of each likelihood ratio over all pairs of error counts. */
function meansOf(
  logRatios: (interval: CounterInterval) => readonly number[],
  law: Law,
  canaryRate: number,
  stableRate: number,
): number[] {
  const means: number[] = [];
  for (let canaryErrors = 0; canaryErrors <= 130; canaryErrors++) {
    const canary = law(canaryErrors, canaryRequests, canaryRate);
    for (let stableErrors = 0; stableErrors <= 130; stableErrors++) {
      const chance = canary * law(stableErrors, stableRequests, stableRate);
      const interval = { canaryErrors, stableErrors, canaryRequests, stableRequests, duration: 0 as DurationMs };
      logRatios(interval).forEach((log, i) => {
        means[i] = (means[i] ?? 0) + chance * Math.exp(log);
      });
    }
  }
  return means;
}

const margin = 0.5;
const harm = (interval: CounterInterval) => harmLogRatios(interval, margin);
const safe = (interval: CounterInterval) => safeLogRatios(interval, margin);

test('at the margin every likelihood ratio has mean 1 under Poisson errors, for harm and for safety', () => {
  for (const mean of meansOf(harm, poisson, 0.15, 0.1)) expectAbsolute(mean, 1, 1e-10);
  for (const mean of meansOf(safe, poisson, 0.15, 0.1)) expectAbsolute(mean, 1, 1e-10);
});

test('inside the null the means are below 1', () => {
  for (const mean of meansOf(harm, poisson, 0.12, 0.1)) expect(mean).toBeLessThan(1);
  for (const mean of meansOf(safe, poisson, 0.2, 0.1)) expect(mean).toBeLessThan(1);
});

test('outside it they are above: the process can grow', () => {
  expect(Math.max(...meansOf(harm, poisson, 0.4, 0.1))).toBeGreaterThan(1.5);
  expect(Math.max(...meansOf(safe, poisson, 0.1, 0.1))).toBeGreaterThan(1.1);
});

test.each([
  [0.3, 0.2],
  [0.6, 0.4],
  [0.9, 0.6],
])(
  'requests that fail independently with %d against %d keep the mean at most 1: common errors need no other law',
  (canary, stable) => {
    for (const mean of [...meansOf(harm, bernoulli, canary, stable), ...meansOf(safe, bernoulli, canary, stable)]) {
      expect(mean).toBeLessThanOrEqual(1 + 1e-12);
    }
  },
);

test('the absolute form has mean 1 at its limit under Poisson errors and at most 1 under Bernoulli ones', () => {
  const limit = 0.1;
  const both = (interval: CounterInterval) => [
    ...rateHarmLogRatios(interval, limit),
    ...rateSafeLogRatios(interval, limit),
  ];
  for (const mean of meansOf(both, poisson, limit, 0.02)) expectAbsolute(mean, 1, 1e-10);
  for (const mean of meansOf(both, bernoulli, limit, 0.02)) expect(mean).toBeLessThanOrEqual(1 + 1e-12);
});

test('a mixture with a restart in its middle keeps mean 1 over all outcomes of two intervals', () => {
  const law = (errors: number): number => poissonPmf(errors, 1.5);
  const seen = (canaryErrors: number, stableErrors: number): CounterInterval => ({
    canaryErrors,
    stableErrors,
    canaryRequests: 10,
    stableRequests: 10,
    duration: 0 as DurationMs,
  });
  const logs = (c: number, s: number) => harmLogRatios(seen(c, s), 0);
  let mean = 0;
  for (let a = 0; a < 16; a++) {
    for (let b = 0; b < 16; b++) {
      const first = restartMixture(advanceMixture(startMixture(7), logs(a, b)), 1);
      for (let c = 0; c < 16; c++) {
        for (let d = 0; d < 16; d++) {
          mean +=
            law(a) * law(b) * law(c) * law(d) * Math.exp(logMixtureEvidence(advanceMixture(first, logs(c, d)), 1));
        }
      }
    }
  }
  expectAbsolute(mean, 1, 1e-6);
});

test('a mixture starts at 1, also after many restarts without data', () => {
  let mixture = startMixture(3);
  for (let i = 0; i < 50; i++) {
    expectAbsolute(logMixtureEvidence(mixture, 1), 0, 1e-12);
    mixture = restartMixture(mixture, 1);
  }
});
