import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bernoulliSequence } from '../../../../../src/core/stats/sequential/bernoulli-sequence.ts';
import {
  betaBinomialBound,
  betaBinomialLogMixture,
  betaBinomialMixture,
} from '../../../../../src/core/stats/sequential/beta-binomial.ts';
import { empiricalProcessBound } from '../../../../../src/core/stats/sequential/empirical-process.ts';
import {
  gammaPoissonBound,
  gammaPoissonLogMixture,
  gammaPoissonMixture,
} from '../../../../../src/core/stats/sequential/gamma-poisson.ts';
import {
  mixtureRho,
  mixtureRhoExact,
  oneSidedBound,
  oneSidedLogMixture,
  twoSidedBound,
  twoSidedLogMixture,
} from '../../../../../src/core/stats/sequential/normal-mixture.ts';
import { polyStitchingBound } from '../../../../../src/core/stats/sequential/poly-stitching.ts';
import { binomialLogPmf } from '../../../../../src/core/stats/special/binomial.ts';
import { poissonLogPmf } from '../../../../../src/core/stats/special/poisson.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

const rho = mixtureRho(100, 0.05);
const mixture = betaBinomialMixture(0.2, 0.8, 100, 0.05);

test.each([
  ['A1 best rho', () => rho, 12.60056],
  ['A2 log mixture', () => twoSidedLogMixture(10, 100, rho), -0.6510052],
  ['A2 bound', () => twoSidedBound(100, 0.05, rho), 30.35209],
  ['A3 log mixture', () => betaBinomialLogMixture(mixture, 10, 100), -0.6941012],
  ['A3 bound', () => betaBinomialBound(mixture, 100, 0.05), 31.4308],
  ['A4 bound, c = 3', () => polyStitchingBound(100, 0.05, { minTime: 10, scale: 3 }), 64.48755],
  ['A4 bound, c = −1', () => polyStitchingBound(100, 0.05, { minTime: 10, scale: -1 }), 28.99389],
  ['A5 bound', () => empiricalProcessBound(1000, { alpha: 0.05, minObservations: 100 }), 0.08204769],
  ['gamma-Poisson, c = 2', () => gammaPoissonLogMixture(gammaPoissonMixture(100, 0.05, 2), 10, 100), -0.06991219],
  ['gamma-Poisson bound, c = 2', () => gammaPoissonBound(gammaPoissonMixture(100, 0.05, 2), 100, 0.05), 30.1949],
] as const)('%s', (_, got, expected) => {
  expectAbsolute(got(), expected, 1e-5);
});

test.each([
  ['one-sided normal', () => oneSidedLogMixture(10, 100, mixtureRho(100, 0.1)), -0.0650239124290113],
  ['gamma-Poisson', () => gammaPoissonLogMixture(gammaPoissonMixture(100, 0.05), 10, 100), -0.0675316271245176],
  ['gamma-Poisson bound', () => gammaPoissonBound(gammaPoissonMixture(100, 0.05), 100, 0.05), 28.9532670325143],
] as const)('%s agrees with 40-digit arithmetic', (_, got, expected) => {
  expectAbsolute(got(), expected, 1e-10);
});

test.each([
  [700, 1000, 100, 0.651629, 0.745949],
  [15, 50, 50, 0.129556, 0.511896],
  [100, 200, 1, 0.328923, 0.671076],
])('A7: Bernoulli sequence of %d in %d', (successes, trials, plannedTrials, lower, upper) => {
  const interval = bernoulliSequence({ successes, trials }, { alpha: 0.05, plannedTrials });
  expectAbsolute(interval.lower, lower, 1e-5);
  expectAbsolute(interval.upper, upper, 1e-5);
});

test.each([
  [1000, 0.05, 0.0082119681, 0.0079361546],
  [5000, 0.05, 0.0016423936, 0.0015872309],
  [10_000, 0.01, 0.0011756371, 0.0011533741],
])('A9: 1 / rho for N* = %d, alpha = %d', (planned, alpha, exact, approximate) => {
  expectAbsolute(1 / mixtureRhoExact(planned, alpha), exact, 1e-9);
  expectAbsolute(1 / mixtureRho(planned, alpha), approximate, 1e-9);
});

test('the exact rho gives a narrower bound at the planned time than its neighbours', () => {
  const exact = mixtureRhoExact(1000, 0.05);
  const best = twoSidedBound(1000, 0.05, exact);
  expect(best).toBeLessThan(twoSidedBound(1000, 0.05, exact * 1.05));
  expect(best).toBeLessThan(twoSidedBound(1000, 0.05, exact / 1.05));
});

test('a mixture equals 1 / alpha on its bound', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 1e6, noNaN: true }),
      fc.double({ min: 0.001, max: 0.4, noNaN: true }),
      (v, alpha) => {
        const threshold = -Math.log(alpha);
        const oneSided = mixtureRho(100, Math.min(0.9, 2 * alpha));
        expectAbsolute(twoSidedLogMixture(twoSidedBound(v, alpha, rho), v, rho), threshold, 1e-9);
        expectAbsolute(oneSidedLogMixture(oneSidedBound(v, alpha, oneSided), v, oneSided), threshold, 1e-8);
      },
    ),
  );
});

test('one trial at a time, the beta-binomial mixture is a martingale at its null', () => {
  const p = 0.2;
  const start = betaBinomialMixture(p, 1 - p, 100 * p * (1 - p), 0.05);
  const value = (successes: number, n: number): number =>
    Math.exp(betaBinomialLogMixture(start, successes - n * p, n * p * (1 - p)));
  for (const n of [0, 1, 7, 300]) {
    for (const successes of [0, Math.floor(n / 3), n]) {
      const next = p * value(successes + 1, n + 1) + (1 - p) * value(successes, n + 1);
      expectAbsolute(next / value(successes, n), 1, 1e-12);
    }
  }
});

test('the beta-binomial mixture has mean 1 over all counts of 60 trials', () => {
  const p = 0.3;
  const start = betaBinomialMixture(p, 1 - p, 20, 0.05);
  let mean = 0;
  for (let k = 0; k <= 60; k++) {
    mean += Math.exp(binomialLogPmf(k, 60, p) + betaBinomialLogMixture(start, k - 60 * p, 60 * p * (1 - p)));
  }
  expectAbsolute(mean, 1, 1e-12);
});

test.each([
  [1, 1],
  [0.8, 0.4],
])('the gamma-Poisson mixture has mean at most 1 at %d times the expected rate', (ratio, ceiling) => {
  const start = gammaPoissonMixture(20, 0.05);
  let mean = 0;
  for (let k = 0; k < 400; k++)
    mean += Math.exp(poissonLogPmf(k, 30 * ratio) + gammaPoissonLogMixture(start, k - 30, 30));
  expect(mean).toBeLessThanOrEqual(ceiling + 1e-12);
});

test('a Bernoulli sequence covers its data and shrinks with more trials', () => {
  const plan = { alpha: 0.05, plannedTrials: 1000 };
  expect(bernoulliSequence({ successes: 0, trials: 0 }, plan)).toEqual({ lower: 0, upper: 1 });
  expect(bernoulliSequence({ successes: 0, trials: 50 }, plan).lower).toBe(0);
  expect(bernoulliSequence({ successes: 50, trials: 50 }, plan).upper).toBe(1);
  const width = (n: number): number => {
    const { lower, upper } = bernoulliSequence({ successes: n / 10, trials: n }, plan);
    expect(lower).toBeLessThan(0.1);
    expect(upper).toBeGreaterThan(0.1);
    return upper - lower;
  };
  const widths = [10, 100, 1e4, 1e8, 1e12].map(width);
  expect([...widths].sort((a, b) => b - a)).toEqual(widths);
});

test('the empirical-process bound claims nothing before its first time', () => {
  expect(empiricalProcessBound(99, { alpha: 0.05, minObservations: 100 })).toBe(Number.POSITIVE_INFINITY);
});

test('bad input is refused with a code', () => {
  for (const bad of [Number.NaN, 0, -1, 1, 2, Number.POSITIVE_INFINITY]) {
    expect(() => mixtureRho(100, bad)).toThrow('SLUICE_STATS_ARGUMENT');
    expect(() => mixtureRhoExact(100, bad)).toThrow('SLUICE_STATS_ARGUMENT');
    expect(() => twoSidedBound(100, bad, rho)).toThrow('SLUICE_STATS_ARGUMENT');
    expect(() => oneSidedBound(100, bad, rho)).toThrow('SLUICE_STATS_ARGUMENT');
    expect(() => betaBinomialBound(mixture, 100, bad)).toThrow('SLUICE_STATS_ARGUMENT');
    expect(() => polyStitchingBound(100, bad, { minTime: 10, scale: 0 })).toThrow('SLUICE_STATS_ARGUMENT');
    expect(() => empiricalProcessBound(200, { alpha: bad, minObservations: 100 })).toThrow('SLUICE_STATS_ARGUMENT');
    expect(() => bernoulliSequence({ successes: 1, trials: 2 }, { alpha: bad, plannedTrials: 9 })).toThrow(
      'SLUICE_STATS_ARGUMENT',
    );
  }
  expect(() => mixtureRho(0, 0.05)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => gammaPoissonMixture(100, 0.5)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => gammaPoissonLogMixture(gammaPoissonMixture(100, 0.05), -150, 100)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => betaBinomialLogMixture(mixture, 600, 100)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => bernoulliSequence({ successes: 3, trials: 2 }, { alpha: 0.05, plannedTrials: 9 })).toThrow(
    'SLUICE_STATS_ARGUMENT',
  );
});

test('the beta-binomial mixture knows no unit: steps of three times the size, sums of three times, time of nine times', () => {
  const { g, h, r } = mixture;
  for (const s of [-15, 0, 10, 31]) {
    const once = betaBinomialLogMixture(mixture, s, 100);
    expectRelative(betaBinomialLogMixture({ g: 3 * g, h: 3 * h, r: 9 * r }, 3 * s, 900), once, 1e-11);
  }
});

test('sums reach from −v/h to v/g and no further', () => {
  const at = (s: number) => () => betaBinomialLogMixture(mixture, s, 8);
  for (const s of [-10, 40]) expect(at(s)).not.toThrow();
  for (const s of [-10.001, 40.001]) expect(at(s)).toThrow(`s must be inside [−v/h, v/g], not ${s}`);
});

test.each([
  [1, 1e13],
  [7, 9e15],
  [0, 1e15],
])('the limits of a rate that is almost nothing (%i of %d) lie on both sides of it', (successes, trials) => {
  const { lower, upper } = bernoulliSequence({ successes, trials }, { alpha: 0.05, plannedTrials: 1_000 });
  const rate = successes / trials;
  if (successes > 0) expect(lower).toBeLessThan(rate * 0.9);
  expect(upper).toBeGreaterThan(rate * 1.1);
  expect(upper).toBeLessThan(1e-10);
});
