import { expect, test } from 'vitest';
import { jointMomentsOf, jointMomentsOfSums } from '../../../../../src/core/stats/summaries/joint-moments.ts';
import { armMean, armProportion, momentsOfSums } from '../../../../../src/core/stats/summaries/moments.ts';
import { independenceTest } from '../../../../../src/core/stats/tests/independence.ts';
import { poissonRatioTest } from '../../../../../src/core/stats/tests/poisson-ratio.ts';
import {
  agrestiCaffoLimits,
  newcombeLimits,
  pooledProportionTest,
  proportionLimits,
  waldLimits,
  wilsonLimits,
} from '../../../../../src/core/stats/tests/proportions.ts';
import {
  clusteredQuantile,
  clusteredShareVariance,
  outerRanks,
} from '../../../../../src/core/stats/tests/quantile-effect.ts';
import { ratioArm } from '../../../../../src/core/stats/tests/ratio-metric.ts';
import {
  fiellerLimits,
  logRatioTest,
  relativeDeltaTest,
  relativeVariance,
} from '../../../../../src/core/stats/tests/relative.ts';
import { welchTest } from '../../../../../src/core/stats/tests/welch.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

const control = armMean(momentsOfSums({ n: 3407, sum: 1396.87, sumOfSquares: 52377.9767 }));
const treatment = armMean(momentsOfSums({ n: 3461, sum: 2422.7, sumOfSquares: 134698.29 }));
const plan = { alpha: 0.05 };

test('F1: relative lift by the delta method with Welch degrees of freedom', () => {
  const result = relativeDeltaTest(treatment, control, plan);
  expectAbsolute(result.estimate, 0.7073170732, 1e-7);
  expectAbsolute(result.standardError, 0.3787943617, 1e-7);
  expectAbsolute(result.lower, -0.0352600891, 1e-7);
  expectAbsolute(result.upper, 1.4498942354, 1e-7);
  expectAbsolute(result.pValue, 0.0619118, 1e-7);
});

test('F2: the absolute difference of the same data is significant (one scale must be fixed before the start)', () => {
  const result = welchTest(treatment, control, plan);
  expectAbsolute(result.estimate, 0.29, 1e-7);
  expectAbsolute(result.standardError, 0.1247836316, 1e-7);
  expectAbsolute(result.lower, 0.0453778926, 1e-7);
  expectAbsolute(result.upper, 0.5346221074, 1e-7);
  expectAbsolute(result.pValue, 0.0201584, 1e-7);
});

test('F3: relative lift of two proportions', () => {
  const result = relativeDeltaTest(armProportion(16, 30), armProportion(14, 28), plan);
  expectAbsolute(result.estimate, 0.06667, 1e-5);
  expectAbsolute(result.standardError, 0.2717, 5e-5);
  expectAbsolute(result.lower, -0.47767, 1e-5);
  expectAbsolute(result.upper, 0.61101, 1e-5);
  expectAbsolute(result.pValue, 0.80707, 1e-5);
});

test('F4: delta-method variances', () => {
  const a = { n: 4, mean: 7, variance: 2 };
  const b = { n: 15, mean: 5, variance: 0.5 };
  expectAbsolute(welchTest(b, a, plan).standardError ** 2, 0.53333, 1e-5);
  expectAbsolute(relativeVariance(b, a), 0.00589, 1e-5);
});

test('F5: three intervals of a difference of proportions', () => {
  const [t, c] = [
    { successes: 12, n: 99 },
    { successes: 5, n: 83 },
  ];
  const wanted = [
    [waldLimits, -0.0212078951, 0.1431502098],
    [agrestiCaffoLimits, -0.0269067467, 0.1431560187],
    [newcombeLimits, -0.0279099547, 0.146882641],
    [proportionLimits, -0.0279099547, 0.146882641],
  ] as const;
  for (const [limits, lower, upper] of wanted) {
    expectAbsolute(limits(t, c, 0.05).lower, lower, 1e-8);
    expectAbsolute(limits(t, c, 0.05).upper, upper, 1e-8);
  }
  const large = [
    { successes: 120, n: 990 },
    { successes: 50, n: 830 },
  ] as const;
  expect(proportionLimits(...large, 0.05)).toEqual(waldLimits(...large, 0.05));
  // statsmodels 0.15: proportions_ztest and proportion_confint(method='wilson')
  expectRelative(pooledProportionTest(t, c, plan).pValue, 0.15918129181156992, 1e-12);
  expectRelative(wilsonLimits(c, 0.05).lower, 0.026003401041882, 1e-12);
});

test('F6: smokers among four samples of patients', () => {
  const result = independenceTest([
    [83, 3],
    [90, 3],
    [129, 7],
    [70, 12],
  ]);
  expectAbsolute(result.statistic, 12.6004, 1e-4);
  expect(result.df).toBe(3);
  expectAbsolute(result.pValue, 0.005585, 1e-6);
});

test('F10: a ratio metric of raw numerators and denominators', () => {
  const [num, den] = [
    [2, 0, 5, 3, 1, 4],
    [4, 1, 6, 3, 2, 5],
  ];
  const arm = ratioArm(
    jointMomentsOf(
      num.map((value, i) => [value, den[i] as number]),
      2,
    ),
  );
  expectAbsolute(arm.mean, 0.7142857143, 1e-9);
  expectAbsolute(arm.variance, 0.0466472303, 1e-9);
  expectAbsolute(Math.sqrt(arm.variance / arm.n), 0.0881733428, 1e-9);
});

test('A15b: the log ratio of the same data', () => {
  const result = logRatioTest(treatment, control, plan);
  expectAbsolute(result.estimate, 0.5349231753, 1e-9);
  expectAbsolute(result.standardError, 0.221865269, 1e-9);
  expect(result.df).toBe(Infinity);
});

test('Q1: ranks that enclose a quantile', () => {
  expect(outerRanks(1000, 0.9, 0.05)).toEqual({ lower: 881, upper: 919 });
  expect(outerRanks(200, 0.5, 0.05)).toEqual({ lower: 86, upper: 114 });
  expect(outerRanks(5000, 0.99, 0.05)).toEqual({ lower: 4936, upper: 4964 });
});

test('Q2: a quantile of values that cluster in units', () => {
  const counts = jointMomentsOfSums({
    n: 1500,
    sums: [11400, 12000],
    products: [
      [118000, 123600],
      [123600, 130000],
    ],
  });
  expectAbsolute(clusteredShareVariance(counts), 3.3703024e-6, 1e-12);
  const sample = { p: 0.95, value: 480, lower: 470, upper: 492, rankedAt: 6400, counts };
  const { standardError } = clusteredQuantile(sample, 0.05);
  expectAbsolute(standardError, 3.7818484, 1e-6);
  expectAbsolute(standardError ** 2 * 12000, 171628.5284, 0.05);
});

test('Fieller limits agree with their defining equation and flip with the sign of the baseline', () => {
  const { lower, upper } = fiellerLimits(treatment, control, 0.05);
  for (const lift of [lower, upper]) {
    const ratio = 1 + lift;
    const distance = treatment.mean - ratio * control.mean;
    const variance = treatment.variance / treatment.n + ratio ** 2 * (control.variance / control.n);
    expectRelative(distance ** 2 / variance, 1.959963984540054 ** 2, 1e-10);
  }
  const mirrored = (arm: typeof control) => ({ ...arm, mean: -arm.mean });
  const flipped = fiellerLimits(mirrored(treatment), mirrored(control), 0.05);
  expectRelative(flipped.lower, -upper, 1e-12);
  expectRelative(flipped.upper, -lower, 1e-12);
});

test('the exact Poisson ratio agrees with the binomial tails and Clopper-Pearson limits of scipy', () => {
  const result = poissonRatioTest({ events: 15, exposure: 1000 }, { events: 8, exposure: 1100 }, 0.05);
  expectRelative(result.pValue, 0.1379699208978553, 1e-12);
  expectRelative(result.lower, 0.8208738387404814, 1e-9);
  expectRelative(result.upper, 5.616999448702682, 1e-9);
  expectRelative(result.ratio, (15 / 1000) * (1100 / 8), 1e-14);
});

test('a one-sided Welch test agrees with scipy', () => {
  const t = { n: 20, mean: 10, variance: 4 };
  const c = { n: 30, mean: 9, variance: 9 };
  expectRelative(welchTest(t, c, { alpha: 0.05, alternative: 'Greater' }).pValue, 0.08187677370522906, 1e-12);
});
