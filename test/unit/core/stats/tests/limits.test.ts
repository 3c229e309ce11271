import { expect, test } from 'vitest';
import { jointMomentsOf, jointMomentsOfSums } from '../../../../../src/core/stats/summaries/joint-moments.ts';
import { armProportion } from '../../../../../src/core/stats/summaries/moments.ts';
import { testEffect } from '../../../../../src/core/stats/tests/effect-test.ts';
import { independenceTest } from '../../../../../src/core/stats/tests/independence.ts';
import { poissonRatioTest } from '../../../../../src/core/stats/tests/poisson-ratio.ts';
import {
  newcombeLimits,
  pooledProportionTest,
  proportionLimits,
  waldLimits,
} from '../../../../../src/core/stats/tests/proportions.ts';
import {
  clusteredQuantile,
  outerRanks,
  quantileOfSorted,
  quantileTest,
} from '../../../../../src/core/stats/tests/quantile-effect.ts';
import { ratioArm } from '../../../../../src/core/stats/tests/ratio-metric.ts';
import { fiellerLimits, logRatioTest, relativeDeltaTest } from '../../../../../src/core/stats/tests/relative.ts';
import { welchTest } from '../../../../../src/core/stats/tests/welch.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

const plan = { alpha: 0.05 };
const arm = { n: 100, mean: 10, variance: 4 };

test('a p-value of 36 sigma is tiny, not 0 (trap 5)', () => {
  const far = welchTest({ n: 1e6, mean: 0.0511, variance: 1 }, { n: 1e6, mean: 0, variance: 1 }, plan);
  expect(far.statistic).toBeGreaterThan(36);
  expect(far.pValue).toBeGreaterThan(0);
  expect(far.pValue).toBeLessThan(1e-280);
});

test('a non-inferiority bound at 0.025 one-sided is the bound of the 95 % interval (trap 19)', () => {
  const two = welchTest(arm, { ...arm, mean: 9.5 }, plan);
  const one = welchTest(arm, { ...arm, mean: 9.5 }, { alpha: 0.025, alternative: 'Greater' });
  expect(one.lower).toBe(two.lower);
  expect(one.upper).toBe(Infinity);
  const less = welchTest(arm, { ...arm, mean: 9.5 }, { alpha: 0.025, alternative: 'Less' });
  expect([less.lower, less.upper]).toEqual([-Infinity, two.upper]);
  expectRelative(one.pValue + less.pValue, 1, 1e-15);
});

test('a margin shifts the null', () => {
  const shifted = welchTest(arm, { ...arm, mean: 9.5 }, plan, -0.5);
  expectRelative(shifted.statistic, 1 / shifted.standardError, 1e-12);
  expect(shifted.pValue).toBeLessThan(welchTest(arm, { ...arm, mean: 9.5 }, plan).pValue);
});

test('a lift on a negative baseline keeps the sign of the improvement', () => {
  const result = relativeDeltaTest({ ...arm, mean: -9 }, { ...arm, mean: -10 }, plan);
  expectAbsolute(result.estimate, 0.1, 1e-12);
});

test('Fieller is unbounded when the control mean is not distinct from 0', () => {
  const unbounded = { lower: -Infinity, upper: Infinity };
  expect(fiellerLimits(arm, { n: 100, mean: 0.3, variance: 4 }, 0.05)).toEqual(unbounded);
  expect(fiellerLimits(arm, { n: 100, mean: 0, variance: 0 }, 0.05)).toEqual(unbounded);
});

test('the unit of a ratio metric is the randomised unit: clustering widens the error (trap 13)', () => {
  // 40 users with 25 requests each, all requests of a user alike: 1,000 requests carry the information of 40.
  const users = Array.from({ length: 40 }, (_, i) => [i % 2 === 0 ? 25 : 0, 25]);
  const byUser = ratioArm(jointMomentsOf(users, 2));
  const byRequest = armProportion(500, 1000);
  const inflation = byUser.variance / byUser.n / (byRequest.variance / byRequest.n);
  expectAbsolute(inflation, 25, 1);
});

test('newcombe stays inside [-1, 1] with no successes', () => {
  const { lower, upper } = newcombeLimits({ successes: 0, n: 10 }, { successes: 0, n: 10 }, 0.05);
  expect(lower).toBeGreaterThan(-0.5);
  expect(upper).toBeCloseTo(-lower, 12);
});

test('counts without events have limits, not NaN', () => {
  const none = { events: 0, exposure: 10 };
  expect(poissonRatioTest(none, none, 0.05)).toEqual({ ratio: 1, pValue: 1, lower: 0, upper: Infinity });
  const some = poissonRatioTest({ events: 5, exposure: 10 }, none, 0.05);
  expect([some.ratio, some.upper]).toEqual([Infinity, Infinity]);
  expect(some.lower).toBeGreaterThan(0);
  expect(poissonRatioTest(none, { events: 5, exposure: 10 }, 0.05)).toMatchObject({ ratio: 0, lower: 0 });
  const huge = poissonRatioTest({ events: 1e12, exposure: 1 }, { events: 1e12 + 4e6, exposure: 1 }, 0.05);
  expect(huge.pValue).toBeLessThan(0.01);
  expect(huge.lower).toBeLessThan(1);
});

test('a quantile of distinct values has an error; of equal values it is not resolvable (trap 24)', () => {
  const sorted = Array.from({ length: 1000 }, (_, i) => i + 1);
  const quantile = quantileOfSorted(sorted, 0.9, 0.05);
  expect(quantile.value).toBe(900);
  expectAbsolute(quantile.standardError, (919 - 881) / (2 * 1.959963984540054), 1e-9);
  expectAbsolute(
    quantileTest(quantile, quantile, plan).upper,
    1.959963984540054 * quantile.standardError * Math.SQRT2,
    1e-9,
  );
  expect(() => quantileOfSorted(new Array(1000).fill(3), 0.9, 0.05)).toThrow(
    expect.objectContaining({ code: 'SLUICE_STATS_NO_VARIANCE' }),
  );
});

const flat = { n: 10, mean: 1, variance: 0 };
const evenCounts = jointMomentsOfSums({
  n: 4,
  sums: [20, 40],
  products: [
    [100, 200],
    [200, 400],
  ],
});

test.each([
  ['SLUICE_STATS_TOO_FEW', 'one unit', () => welchTest({ n: 1, mean: 1, variance: 0 }, arm, plan)],
  ['SLUICE_STATS_TOO_FEW', 'an empty arm', () => welchTest(arm, { n: 0, mean: 0, variance: 0 }, plan)],
  ['SLUICE_STATS_NO_VARIANCE', 'two constant arms', () => welchTest(flat, flat, plan)],
  ['SLUICE_STATS_NO_VARIANCE', 'a log ratio of constants', () => logRatioTest(flat, flat, plan)],
  [
    'SLUICE_STATS_NO_VARIANCE',
    'a lift to a certain 0',
    () => relativeDeltaTest({ ...flat, mean: 0 }, { ...arm, variance: 1e-320 }, plan),
  ],
  [
    'SLUICE_STATS_NO_VARIANCE',
    'proportions of 0',
    () => pooledProportionTest({ successes: 0, n: 9 }, { successes: 0, n: 9 }, plan),
  ],
  [
    'SLUICE_STATS_NO_VARIANCE',
    'clusters without spread',
    () => clusteredQuantile({ p: 0.5, value: 1, lower: 0, upper: 2, rankedAt: 40, counts: evenCounts }, 0.05),
  ],
  ['SLUICE_STATS_BASELINE', 'a baseline near 0', () => relativeDeltaTest(arm, { ...arm, mean: 0.5 }, plan)],
  ['SLUICE_STATS_BASELINE', 'a log ratio of a negative mean', () => logRatioTest(arm, { ...arm, mean: -1 }, plan)],
  ['SLUICE_STATS_BASELINE', 'a log ratio of a zero mean', () => logRatioTest({ ...arm, mean: 0 }, arm, plan)],
  [
    'SLUICE_STATS_BASELINE',
    'a ratio without denominators',
    () =>
      ratioArm(
        jointMomentsOf(
          [
            [1, 0],
            [2, 0],
          ],
          2,
        ),
      ),
  ],
  ['SLUICE_STATS_ARGUMENT', 'alpha 0', () => welchTest(arm, arm, { alpha: 0 })],
  ['SLUICE_STATS_ARGUMENT', 'alpha 1', () => fiellerLimits(arm, arm, 1)],
  ['SLUICE_STATS_ARGUMENT', 'a NaN mean', () => welchTest({ ...arm, mean: Number.NaN }, arm, plan)],
  ['SLUICE_STATS_ARGUMENT', 'an infinite variance', () => welchTest({ ...arm, variance: Infinity }, arm, plan)],
  ['SLUICE_STATS_ARGUMENT', 'a negative variance', () => welchTest({ ...arm, variance: -1 }, arm, plan)],
  ['SLUICE_STATS_ARGUMENT', 'no standard error', () => testEffect({ estimate: 1, standardError: 0 }, plan)],
  [
    'SLUICE_STATS_ARGUMENT',
    'more successes than units',
    () => waldLimits({ successes: 3, n: 2 }, { successes: 0, n: 2 }, 0.05),
  ],
  [
    'SLUICE_STATS_TOO_FEW',
    'an arm without units',
    () => waldLimits({ successes: 0, n: 0 }, { successes: 0, n: 2 }, 0.05),
  ],
  ['SLUICE_STATS_TOO_FEW', 'a far quantile of few values', () => outerRanks(300, 0.99, 0.05)],
  [
    'SLUICE_STATS_ARGUMENT',
    'limits in the wrong order',
    () => clusteredQuantile({ p: 0.5, value: 1, lower: 3, upper: 2, rankedAt: 40, counts: evenCounts }, 0.05),
  ],
  [
    'SLUICE_STATS_ARGUMENT',
    'half an event',
    () => poissonRatioTest({ events: 0.5, exposure: 1 }, { events: 1, exposure: 1 }, 0.05),
  ],
  [
    'SLUICE_STATS_ARGUMENT',
    'no exposure',
    () => poissonRatioTest({ events: 1, exposure: 0 }, { events: 1, exposure: 1 }, 0.05),
  ],
  ['SLUICE_STATS_ARGUMENT', 'a ragged table', () => independenceTest([[1, 2], [3]])],
  [
    'SLUICE_STATS_TOO_FEW',
    'an empty row',
    () =>
      independenceTest([
        [1, 2],
        [0, 0],
      ]),
  ],
  [
    'SLUICE_STATS_TOO_FEW',
    'one outcome',
    () =>
      independenceTest([
        [1, 0],
        [3, 0],
      ]),
  ],
] as const)('%s: %s', (code, _what, call) => {
  expect(call).toThrow(expect.objectContaining({ code }));
});

test('a table of three by three has four degrees of freedom, an outcome that nobody had takes none', () => {
  const table = [
    [10, 20, 30],
    [20, 25, 15],
    [30, 15, 15],
  ];
  const result = independenceTest(table);
  expectRelative(result.statistic, 20, 1e-14);
  expect(result.df).toBe(4);
  // The tail of four degrees in closed form.
  expectRelative(result.pValue, 11 * Math.exp(-10), 1e-13);
  expect(independenceTest(table.map((row) => [...row, 0]))).toEqual(result);
  const square = [
    [30, 10],
    [10, 30],
  ];
  expect(independenceTest(square)).toMatchObject({ statistic: 20, df: 1 });
});

test.each([
  [
    'an arm without counts',
    [
      [1, 2],
      [3, 4],
      [0, 0],
    ],
  ],
  ['one arm', [[1, 2]]],
  ['one outcome', [[1], [2]]],
])('%s is not a table to test', (_what, table) => {
  expect(() => independenceTest(table)).toThrow('each arm needs counts, in at least two outcomes');
});

test('the limits shown are Newcombe’s below ten in any cell, Wald’s from ten on', () => {
  const treatment = { successes: 50, n: 100 };
  for (const [successes, n] of [
    [9, 59],
    [50, 59],
  ] as const) {
    expect(proportionLimits(treatment, { successes, n }, 0.05)).toEqual(
      newcombeLimits(treatment, { successes, n }, 0.05),
    );
  }
  for (const [successes, n] of [
    [10, 60],
    [50, 60],
  ] as const) {
    expect(proportionLimits(treatment, { successes, n }, 0.05)).toEqual(waldLimits(treatment, { successes, n }, 0.05));
  }
});

test.each([0.1, 0.9])('the %d quantile needs 35 values at 95 %: z² times nine', (p) => {
  expect(() => outerRanks(34, p, 0.05)).toThrow('needs more than 35 values, not 34');
  expect(outerRanks(35, p, 0.05)).toEqual({ lower: p < 0.5 ? 1 : 28, upper: p < 0.5 ? 7 : 35 });
});

test.each<[string, object, () => unknown]>([
  [
    'SLUICE_STATS_NO_VARIANCE: all values of both arms are equal',
    { n: 150 },
    () => welchTest({ n: 100, mean: 1, variance: 0 }, { n: 50, mean: 1, variance: 0 }, plan),
  ],
  [
    'SLUICE_STATS_NO_VARIANCE: all values of both arms are equal',
    { n: 150 },
    () => logRatioTest({ n: 100, mean: 1, variance: 0 }, { n: 50, mean: 1, variance: 0 }, plan),
  ],
  [
    'SLUICE_STATS_BASELINE: a log ratio needs positive means, not -1',
    { mean: -1 },
    () => logRatioTest(arm, { ...arm, mean: -1 }, plan),
  ],
  [
    'SLUICE_STATS_BASELINE: the control mean is within four standard errors of 0',
    { mean: 0.1 },
    () => relativeDeltaTest(arm, { ...arm, mean: 0.1 }, plan),
  ],
  [
    'SLUICE_STATS_NO_VARIANCE: all units of both arms agree',
    { pooled: 1 },
    () => pooledProportionTest({ successes: 5, n: 5 }, { successes: 7, n: 7 }, plan),
  ],
])('%s %j', (message, facts, call) => {
  expect(call).toThrow(expect.objectContaining({ message, facts }));
});
