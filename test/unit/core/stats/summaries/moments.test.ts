import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addJoint,
  covariance,
  jointMomentsOf,
  jointMomentsOfSums,
  meanAt,
  mergeJoint,
  noJointMoments,
} from '../../../../../src/core/stats/summaries/joint-moments.ts';
import {
  addValue,
  armMean,
  armProportion,
  mergeMoments,
  momentsOf,
  momentsOfSums,
  noMoments,
  varianceOf,
} from '../../../../../src/core/stats/summaries/moments.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const values = fc.array(value, { minLength: 1, maxLength: 20 });

test('merging moments is associative and commutative, and equals adding all values', () => {
  fc.assert(
    fc.property(values, values, values, (x, y, z) => {
      const [a, b, c] = [momentsOf(x), momentsOf(y), momentsOf(z)];
      const all = momentsOf([...x, ...y, ...z]);
      const scale = 1 + Math.max(...[...x, ...y, ...z].map(Math.abs));
      for (const merged of [
        mergeMoments(mergeMoments(a, b), c),
        mergeMoments(a, mergeMoments(b, c)),
        mergeMoments(c, mergeMoments(b, a)),
      ]) {
        expect(merged.n).toBe(all.n);
        expectAbsolute(merged.mean, all.mean, 1e-12 * scale);
        expectAbsolute(merged.m2, all.m2, 1e-11 * scale * scale);
      }
    }),
  );
});

test('merging joint moments equals adding all units', () => {
  const rows = fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(rows, rows, (x, y) => {
      const merged = mergeJoint(jointMomentsOf(x, 3), jointMomentsOf(y, 3));
      const all = jointMomentsOf([...x, ...y], 3);
      for (const i of [0, 1, 2]) {
        expectAbsolute(meanAt(merged, i), meanAt(all, i), 1e-9);
        for (const j of [0, 1, 2]) expectAbsolute(covariance(merged, i, j), covariance(all, i, j), 0.1);
      }
    }),
  );
  expect(mergeJoint(noJointMoments(2), jointMomentsOf([[1, 2]], 2)).n).toBe(1);
  expect(mergeJoint(jointMomentsOf([[1, 2]], 2), noJointMoments(2)).means).toEqual([1, 2]);
});

test('a variance of 1 survives a mean of 1e9, where sums of squares lose it (trap 6)', () => {
  const shifted = [1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4];
  expectAbsolute(varianceOf(momentsOf(shifted)), 5 / 3, 1e-12);
  const sum = shifted.reduce((total, x) => total + x, 0);
  const naive = momentsOfSums({ n: 4, sum, sumOfSquares: shifted.reduce((total, x) => total + x * x, 0) });
  expect(Math.abs(varianceOf(naive) - 5 / 3)).toBeGreaterThan(0.1);
  const kept = momentsOfSums({ n: 4, sum: 10, sumOfSquares: 30, shift: 1e9 });
  expect(kept.mean).toBe(1e9 + 2.5);
  expectRelative(varianceOf(kept), 5 / 3, 1e-15);
  const joint = jointMomentsOf(
    shifted.map((x) => [x, -2 * x]),
    2,
  );
  expectAbsolute(covariance(joint, 0, 1), -10 / 3, 1e-6);
});

test('sums become moments', () => {
  expect(momentsOfSums({ n: 0, sum: 0, sumOfSquares: 0 })).toEqual(noMoments);
  expect(armMean(momentsOfSums({ n: 3, sum: 6, sumOfSquares: 14 }))).toEqual({ n: 3, mean: 2, variance: 1 });
  const joint = jointMomentsOfSums({
    n: 3,
    sums: [6, 3],
    products: [
      [14, 8],
      [8, 5],
    ],
    shifts: [10, 0],
  });
  expect([meanAt(joint, 0), meanAt(joint, 1), covariance(joint, 0, 0), covariance(joint, 0, 1)]).toEqual([12, 1, 1, 1]);
  expect(jointMomentsOfSums({ n: 0, sums: [0], products: [[0]] }).n).toBe(0);
  expect(armProportion(3, 12)).toEqual({ n: 12, mean: 0.25, variance: 0.1875 });
});

test.each([
  ['SLUICE_STATS_TOO_FEW', 'no variance of one value', () => varianceOf(momentsOf([1]))],
  ['SLUICE_STATS_TOO_FEW', 'no covariance of one unit', () => covariance(jointMomentsOf([[1, 2]], 2), 0, 1)],
  ['SLUICE_STATS_TOO_FEW', 'no proportion of no units', () => armProportion(0, 0)],
  ['SLUICE_STATS_ARGUMENT', 'more successes than units', () => armProportion(2, 1)],
  ['SLUICE_STATS_ARGUMENT', 'NaN', () => addValue(noMoments, Number.NaN)],
  ['SLUICE_STATS_ARGUMENT', 'an infinite value of a unit', () => addJoint(noJointMoments(1), [Infinity])],
  ['SLUICE_STATS_ARGUMENT', 'a fractional count', () => momentsOfSums({ n: 1.5, sum: 1, sumOfSquares: 1 })],
  ['SLUICE_STATS_ARGUMENT', 'impossible squares', () => momentsOfSums({ n: 2, sum: 10, sumOfSquares: 1 })],
  [
    'SLUICE_STATS_ARGUMENT',
    'impossible joint squares',
    () => jointMomentsOfSums({ n: 2, sums: [10], products: [[1]] }),
  ],
  ['SLUICE_STATS_ARGUMENT', 'a ragged table', () => jointMomentsOfSums({ n: 2, sums: [1, 1], products: [[1]] })],
  ['SLUICE_STATS_ARGUMENT', 'an index outside', () => meanAt(noJointMoments(1), 3)],
  ['SLUICE_STATS_ARGUMENT', 'different dimensions', () => mergeJoint(noJointMoments(1), noJointMoments(2))],
])('%s: %s', (code, _what, call) => {
  expect(call).toThrow(expect.objectContaining({ code }));
});

test('merging with nothing changes nothing, also where squares overflow', () => {
  const far = { n: 3, mean: 1e200, m2: 5 };
  expect(mergeMoments(far, noMoments)).toEqual(far);
  expect(mergeMoments(noMoments, far)).toEqual(far);
  const farJoint = { n: 3, means: [1e200], comoments: [[5]] };
  expect(mergeJoint(farJoint, noJointMoments(1))).toEqual(farJoint);
  expect(mergeJoint(noJointMoments(1), farJoint)).toEqual(farJoint);
  expect(momentsOf([])).toEqual({ n: 0, mean: 0, m2: 0 });
});

test('sums of squares may miss the mean by rounding, in either direction', () => {
  expect(momentsOfSums({ n: 2, sum: 2, sumOfSquares: 2 - 1e-10 }).m2).toBe(0);
  const pair = (square: number) => jointMomentsOfSums({ n: 2, sums: [2], products: [[square]] }).comoments[0]?.[0];
  expect(pair(2 - 1e-10)).toBe(0);
  expect(pair(2 + 1e-10)).toBeCloseTo(1e-10, 15);
});

test('the least and the most that is allowed', () => {
  expect(varianceOf({ n: 2, mean: 0, m2: 3 })).toBe(3);
  expect(covariance({ n: 2, means: [0], comoments: [[3]] }, 0, 0)).toBe(3);
  expect(armProportion(4, 4)).toEqual({ n: 4, mean: 1, variance: 0 });
  expect(noJointMoments(100).means).toHaveLength(100);
});

test.each<[string, object, () => unknown]>([
  ['SLUICE_STATS_ARGUMENT: at most 100 values of a unit, not 101', { dimensions: 101 }, () => noJointMoments(101)],
  ['SLUICE_STATS_TOO_FEW: a variance needs 2 values, not 1', { n: 1, needed: 2 }, () => varianceOf(momentsOf([1]))],
  [
    'SLUICE_STATS_TOO_FEW: a covariance needs 2 units, not 1',
    { n: 1, needed: 2 },
    () => covariance(jointMomentsOf([[1]], 1), 0, 0),
  ],
  [
    'SLUICE_STATS_ARGUMENT: shift must be a finite number, not NaN',
    { name: 'shift', value: Number.NaN },
    () => momentsOfSums({ n: 1, sum: 1, sumOfSquares: 1, shift: Number.NaN }),
  ],
])('%s', (message, facts, call) => {
  expect(call).toThrow(expect.objectContaining({ message, facts }));
});
