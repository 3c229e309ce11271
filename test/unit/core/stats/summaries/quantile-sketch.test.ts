import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../../../src/base/random.ts';
import {
  mergeSketches,
  noSketch,
  sketchOf,
  sketchQuantile,
} from '../../../../../src/core/stats/summaries/quantile-sketch.ts';
import { expectRelative } from '../../../../support/close.ts';

test('a quantile is within the stated relative error of the value at its rank, for any values', () => {
  const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, q) => {
      const sorted = list.map((x) => (Math.abs(x) < 1e-300 ? 0 : x)).sort((a, b) => a - b);
      const exact = sorted[Math.floor(q * (sorted.length - 1))] as number;
      expectRelative(sketchQuantile(sketchOf(list, 0.01), q), exact + 0, 0.01 + 1e-12);
    }),
  );
});

test('merged sketches equal the sketch of all values', () => {
  const random = seededRandom(5);
  const values = Array.from({ length: 3000 }, () => (random() < 0.3 ? 0 : Math.exp(8 * random())));
  const merged = mergeSketches(
    mergeSketches(sketchOf(values.slice(0, 1000)), sketchOf(values.slice(1000, 1100))),
    sketchOf(values.slice(1100)),
  );
  expect(merged).toEqual(sketchOf(values));
  expect(mergeSketches(noSketch(), merged)).toEqual(merged);
});

test('zeros count unless they are to be ignored', () => {
  const sketch = sketchOf([0, 0, 0, 1, 2, 2, 3, 5, 8, 40]);
  expect(sketchQuantile(sketch, 0.2)).toBe(0);
  expectRelative(sketchQuantile(sketch, 0, true), 1, 0.005 + 1e-12);
  expectRelative(sketchQuantile(sketch, 1), 40, 0.005 + 1e-12);
});

test.each([
  ['SLUICE_STATS_TOO_FEW', 'no values', () => sketchQuantile(noSketch(), 0.5)],
  ['SLUICE_STATS_ARGUMENT', 'NaN', () => sketchOf([Number.NaN])],
  ['SLUICE_STATS_ARGUMENT', 'a quantile above 1', () => sketchQuantile(sketchOf([1]), 1.5)],
  ['SLUICE_STATS_ARGUMENT', 'an error of 0', () => noSketch(0)],
  ['SLUICE_STATS_ARGUMENT', 'different errors', () => mergeSketches(noSketch(0.01), noSketch(0.02))],
])('%s: %s', (code, _what, call) => {
  expect(call).toThrow(expect.objectContaining({ code }));
});

test('merging adds the buckets of both signs', () => {
  const both = mergeSketches(sketchOf([-3, 0, 5]), sketchOf([-3, -8, 0, 0, 5, 9]));
  expect(both).toEqual(sketchOf([-8, -3, -3, 0, 0, 0, 5, 5, 9]));
});

test('1e-300 is the smallest value that does not count as 0', () => {
  expect(sketchOf([1e-300, -1e-300, 0.99e-300]).zeros).toBe(1);
});

test.each<[string, object, () => unknown]>([
  [
    'SLUICE_STATS_ARGUMENT: only sketches of the same relative error merge',
    { left: 0.01, right: 0.02 },
    () => mergeSketches(noSketch(0.01), noSketch(0.02)),
  ],
  ['SLUICE_STATS_TOO_FEW: an empty sketch has no quantile', { n: 0 }, () => sketchQuantile(noSketch(), 0.5)],
  [
    'SLUICE_STATS_ARGUMENT: relativeError must be inside (0, 1), at least 1e-300, not 1',
    { name: 'relativeError', value: 1 },
    () => noSketch(1),
  ],
  [
    'SLUICE_STATS_ARGUMENT: relativeError must be inside (0, 1), at least 1e-300, not 0',
    { name: 'relativeError', value: 0 },
    () => sketchOf([], 0),
  ],
])('%s', (message, facts, call) => {
  expect(call).toThrow(expect.objectContaining({ message, facts }));
});
