import { expect, test } from 'vitest';
import { brent } from '../../../../../src/core/stats/special/roots.ts';
import { expectRelative } from '../../../../support/close.ts';

const noRoot = (message: string, facts: object) =>
  expect.objectContaining({ code: 'SLUICE_STATS_NO_ROOT', message: `SLUICE_STATS_NO_ROOT: ${message}`, facts });

// The points at which Brent's published procedure `zero` evaluates, found with another program in another language. The first
// row is the textbook's: interpolation, a jump back by bisection, and interpolation again.
test.each([
  [
    '(x + 3)(x − 1)²',
    (x: number) => (x + 3) * (x - 1) ** 2,
    [-4, 4 / 3, 1e-12],
    [1.333333333, -4, 1.23255814, 1.142052009, -1.428973996, -2.714486998, -3.357243499, -2.950644548, -3.002194496],
    13,
  ],
  ['cos x', Math.cos, [0, 3, 1e-12], [3, 0, 1.507543373, 1.59711711, 1.570786076, 1.570796328, 1.570796327], 8],
  [
    'x⁹',
    (x: number) => x ** 9,
    [-1, 1.1, 1e-3],
    [
      1.1, -1, -0.3746180128, -0.3741180128, -0.3327736146, 0.3836131927, -0.1768687203, -0.1763397359, -0.1569980898,
      0.1133075515, 0.09967250879, 0.09349452982, -0.03175177997, -0.03125177997, -0.0279959008, 0.03274931451,
      -0.01608917592, -0.01558917592, -0.01407002253, 0.009339645993, 0.008768190102, 0.008031784195, -0.003019119165,
      -0.002519119165, -0.002019119165, 0.003006332515, -0.001519119165, -0.001019119165,
    ],
    31,
  ],
  [
    'eˣ − 1000',
    (x: number) => Math.exp(x) - 1000,
    [-10, 20, 1e-12],
    [
      20, -10, -9.999938165, 5.000030917, 12.50001546, 5.02384531, 8.761930384, 5.532298283, 7.147114334, 6.718011819,
      6.885319209, 6.908091606, 6.907751492,
    ],
    16,
  ],
  ['x³ − 2', (x: number) => x ** 3 - 2, [0, 2, 0.01], [2, 0, 0.5, 1.25, 1.266036289, 1.2598728], 6],
  [
    '1/x − 3',
    (x: number) => 1 / x - 3,
    [0.01, 5, 1e-6],
    [5, 0.01, 4.86, 2.435, 1.2225, 0.61625, 0.313125, 0.3504851562, 0.3343731626, 0.3333300896, 0.3333333435],
    12,
  ],
  [
    '10x³ − x + 0.1',
    (x: number) => 10 * x ** 3 - x + 0.1,
    [-2, 1.5, 1e-10],
    [1.5, -2, 0.473015873, 0.4509823604, 0.3469684748, -0.8265157626, 0.3059988829, 0.2700427806, 0.2522231755],
    15,
  ],
] as const)('%s is evaluated where Brent evaluates it', (_name, f, [lo, hi, tolerance], first, evaluations) => {
  const points: number[] = [];
  const watched = (x: number) => {
    points.push(x);
    return f(x);
  };
  brent(watched, lo, hi, { tolerance });
  for (const [i, point] of first.entries()) expectRelative(points[i] ?? Number.NaN, point, 1e-8, `point ${i}`);
  expect(points).toHaveLength(evaluations);
});

test('through infinite values it goes by bisection', () => {
  const points: number[] = [];
  const wall = (x: number) => {
    points.push(x);
    return x < 0.3 ? Number.NEGATIVE_INFINITY : x - 0.3 + 1e-3;
  };
  brent(wall, 0, 1, { tolerance: 0.1 });
  expect(points).toEqual([1, 0, 0.5, 0.25, 0.375, 0.3125]);
});

test('a root at an end is answered without a search', () => {
  const points: number[] = [];
  const watched = (root: number) => (x: number) => {
    points.push(x);
    return x - root;
  };
  expect(brent(watched(2), 2, 7)).toBe(2);
  expect(brent(watched(7), 2, 7)).toBe(7);
  expect(points).toEqual([7, 2, 7, 2]);
});

test('what cannot be solved is refused, with the place', () => {
  expect(() => brent((x) => x * x + 1, -1, 2)).toThrow(noRoot('no change of sign between -1 and 2', { lo: -1, hi: 2 }));
  expect(() => brent((x) => (x === 2 ? Number.NaN : x), -1, 2)).toThrow(
    noRoot('the function is not a number at 2', { x: 2 }),
  );
  expect(() => brent((x) => x - 0.1, -1, 1e9, { maxIterations: 2 })).toThrow(
    noRoot('no root within 2 steps', { lo: -1, hi: 1e9, maxIterations: 2 }),
  );
  expect(() => brent((x) => x, -1, Number.NaN)).toThrow('SLUICE_STATS_ARGUMENT: hi must be');
  expect(() => brent((x) => x, Number.NaN, 1)).toThrow('SLUICE_STATS_ARGUMENT: lo must be');
});
