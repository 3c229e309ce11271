import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cuped } from '../../../../../src/core/stats/cuped/cuped.ts';
import { ratioCuped } from '../../../../../src/core/stats/cuped/ratio-cuped.ts';
import { solveSymmetric } from '../../../../../src/core/stats/cuped/solve.ts';
import { tSf } from '../../../../../src/core/stats/special/student-t.ts';
import {
  type JointMoments,
  jointMomentsOf,
  jointMomentsOfSums,
} from '../../../../../src/core/stats/summaries/joint-moments.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

/** From sums, as the golden numbers are given. */
const fromSums = (n: number, sy: number, syy: number, sx: number, sxx: number, sxy: number): JointMoments =>
  jointMomentsOfSums({
    n,
    sums: [sy, sx],
    products: [
      [syy, sxy],
      [sxy, sxx],
    ],
  });

const momentsOf = (rows: readonly (readonly number[])[]): JointMoments => jointMomentsOf(rows, rows[0]!.length);

const control = fromSums(3001, 300, 600, 210, 415, -20);
const treatment = fromSums(3000, 222, 555, 120, 405, -10);

const difference = (arms: readonly { n: number; mean: number; variance: number }[]) => ({
  estimate: arms[1]!.mean - arms[0]!.mean,
  se: Math.sqrt(arms[0]!.variance / arms[0]!.n + arms[1]!.variance / arms[1]!.n),
});

test('C2: theta pooled inside the arms, and the absolute effect', () => {
  const { theta, arms } = cuped([control, treatment]);
  const { estimate, se } = difference(arms);
  expectAbsolute(theta[0]!, -0.0747940487, 1e-9);
  expectAbsolute(estimate, -0.0282087546, 1e-9);
  expectAbsolute(se, 0.011075973, 1e-9);
});

test('C1: the peer’s theta of two arms thrown together, only to show the difference', () => {
  const both = fromSums(6001, 522, 1155, 330, 820, -30);
  const theta = both.comoments[0]![1]! / both.comoments[1]![1]!;
  expectAbsolute(theta, -0.0732119403, 1e-8);
  const { estimate, se } = difference(cuped([control, treatment], [theta]).arms);
  expectAbsolute(estimate, -0.0281613283, 1e-8);
  expectAbsolute(se, 0.0110759829, 1e-8);
  expectAbsolute(2 * tSf(Math.abs(estimate / se), 5990), 0.011029369, 1e-6);
});

test('C3: theta of four units seen twice', () => {
  const rows = [
    [2, 0.3],
    [1, 0.5],
    [5, 0.9],
    [3, 22],
  ];
  expectAbsolute(cuped([momentsOf([...rows, ...rows])]).theta[0]!, 0.01864, 1e-5);
});

test('trap 14: an effect on the metric does not move theta, and control is the same in every comparison', () => {
  const shifted = { ...treatment, means: [treatment.means[0]! + 5, treatment.means[1]!] };
  expect(cuped([control, shifted]).theta).toEqual(cuped([control, treatment]).theta);
  const third = fromSums(2500, 300, 700, 100, 350, 20);
  const all = cuped([control, treatment, third]);
  expect(new Set([all.theta.length, 1])).toEqual(new Set([1]));
  expect(all.arms).toHaveLength(3);
});

test('a covariate that explains half of the variance halves it, and the mean effect stays', () => {
  const rows = (shift: number) =>
    Array.from({ length: 400 }, (_, i) => {
      const x = (i % 20) - 9.5;
      const noise = (Math.floor(i / 20) % 20) - 9.5;
      return [x + noise + shift, x];
    });
  const result = cuped([momentsOf(rows(0)), momentsOf(rows(3))]);
  expectAbsolute(result.theta[0]!, 1, 1e-12);
  expectAbsolute(result.varianceRatio, 0.5, 1e-12);
  expectAbsolute(result.arms[1]!.mean - result.arms[0]!.mean, 3, 1e-12);
});

test('a chance imbalance of the covariate is taken out of the effect', () => {
  const low = momentsOf([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 4],
  ]);
  const high = momentsOf([
    [2, 2],
    [3, 3],
    [4, 4],
    [5, 5],
  ]);
  const { arms, varianceRatio } = cuped([low, high]);
  expectAbsolute(arms[1]!.mean - arms[0]!.mean, 0, 1e-12);
  expectAbsolute((arms[0]!.mean + arms[1]!.mean) / 2, 3, 1e-12);
  expectAbsolute(varianceRatio, 0, 1e-12);
});

test('a constant covariate, or one that repeats another, changes nothing', () => {
  const rows = [
    [3, 1, 2, 7],
    [5, 4, 8, 7],
    [4, 2, 4, 7],
    [9, 5, 10, 7],
    [1, 2, 4, 7],
  ];
  const one = cuped([momentsOf(rows.map(([y, x]) => [y!, x!]))]);
  const all = cuped([momentsOf(rows)]);
  expectAbsolute(all.theta[0]!, one.theta[0]!, 1e-12);
  expect(all.theta.slice(1)).toEqual([0, 0]);
  expect(cuped([momentsOf(rows.map(([y]) => [y!, 7]))]).varianceRatio).toBe(1);
});

test('the solver solves random positive definite systems', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 4, maxLength: 4 }), {
        minLength: 4,
        maxLength: 4,
      }),
      (m) => {
        const a = m.map((row, i) =>
          m.map((other, j) => row.reduce((sum, v, k) => sum + v * other[k]!, i === j ? 1 : 0)),
        );
        const want = [1, -2, 3, 0.5];
        const b = a.map((row) => row.reduce((sum, v, j) => sum + v * want[j]!, 0));
        solveSymmetric(a, b).forEach((x, i) => {
          expectAbsolute(x, want[i]!, 1e-6);
        });
      },
    ),
  );
});

test('ratio CUPED with theta 0 is the plain ratio of F10', () => {
  const rows = [
    [2, 4, 0, 1],
    [0, 1, 0, 1],
    [5, 6, 0, 1],
    [3, 3, 0, 1],
    [1, 2, 0, 1],
    [4, 5, 0, 1],
  ];
  const { theta, arms } = ratioCuped([momentsOf(rows)]);
  expect(theta).toBe(0);
  expectAbsolute(arms[0]!.mean, 0.7142857143, 1e-9);
  expectAbsolute(arms[0]!.variance, 0.0466472303, 1e-9);
});

test('ratio CUPED agrees with the gradient against the covariance of all four components', () => {
  const rows = (k: number) =>
    Array.from({ length: 40 }, (_, i) => {
      const [d, d0] = [1 + (i % 4), 1 + ((i + k) % 5)];
      return [d * 0.4 + ((i * 7) % 11) / 10, d, d0 * 0.3 + ((i * 7 + k) % 11) / 12, d0];
    });
  const arms = [momentsOf(rows(1)), momentsOf(rows(2))];
  const { theta, arms: adjusted } = ratioCuped(arms);
  const [arm] = arms as [JointMoments, JointMoments];
  const [m, d, m0, d0] = arm.means as [number, number, number, number];
  const gradient = [1 / d, -m / d ** 2, -theta / d0, (theta * m0) / d0 ** 2];
  let variance = 0;
  for (const [i, g] of gradient.entries()) {
    for (const [j, h] of gradient.entries()) variance += (g * h * arm.comoments[i]![j]!) / (arm.n - 1);
  }
  expectRelative(adjusted[0]!.variance, variance, 1e-12);
  expect(adjusted[0]!.variance).toBeLessThan(ratioCuped(arms, 0).arms[0]!.variance);
});

test('too few units, wrong shapes, NaN and empty denominators are refused', () => {
  expect(() => cuped([])).toThrow('SLUICE_STATS_TOO_FEW');
  expect(() => cuped([{ ...control, n: 1 }])).toThrow('SLUICE_STATS_TOO_FEW');
  expect(() => cuped([control, { ...treatment, means: [1] }])).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => cuped([{ ...control, means: [Number.NaN, 1] }])).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => cuped([control], [1, 2])).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => cuped([control], [Number.NaN])).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => ratioCuped([control])).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() =>
    ratioCuped([
      momentsOf([
        [1, 0, 1, 1],
        [2, 0, 1, 2],
      ]),
    ]),
  ).toThrow('SLUICE_STATS_BASELINE');
});

const square = [
  [4, 1],
  [1, 4],
];

test.each<[string, Partial<JointMoments>]>([
  ['a missing row', { comoments: [[4, 1]] }],
  ['a short row', { comoments: [[4, 1], [1]] }],
  ['a short first row', { comoments: [[4], [1, 4]] }],
  ['a mean too few', { means: [1] }],
  ['a mean too many', { means: [1, 1, 1] }],
])('moments with %s are refused', (_what, wrong) => {
  const arm = { n: 10, means: [1, 1], comoments: square };
  expect(() => cuped([arm, { ...arm, ...wrong }])).toThrow(
    expect.objectContaining({
      message: 'SLUICE_STATS_ARGUMENT: every arm needs moments of 2 components',
      facts: { size: 2 },
    }),
  );
});

test.each<[string, object, () => unknown]>([
  [
    'SLUICE_STATS_ARGUMENT: there must be one theta for each covariate',
    { theta: 2 },
    () => cuped([{ n: 10, means: [1, 1], comoments: square }], [1, 2]),
  ],
  [
    'SLUICE_STATS_ARGUMENT: theta must be a finite number, not Infinity',
    { name: 'theta', value: Number.POSITIVE_INFINITY },
    () => cuped([{ n: 10, means: [1, 1], comoments: square }], [Number.POSITIVE_INFINITY]),
  ],
  [
    'SLUICE_STATS_TOO_FEW: an arm needs 2 units, not 1',
    { n: 1 },
    () => cuped([{ n: 1, means: [1, 1], comoments: square }]),
  ],
])('%s', (message, facts, call) => {
  expect(call).toThrow(expect.objectContaining({ message, facts }));
});

test('a metric without variance is explained by nothing: the ratio is 1, not 0 / 0', () => {
  const flat = {
    n: 10,
    means: [1, 1],
    comoments: [
      [0, 0],
      [0, 4],
    ],
  };
  expect(cuped([flat]).varianceRatio).toBe(1);
});
