import { expect, test } from 'vitest';
import { compareQuantiles } from '../../../../../src/core/stats/sequential/quantile-comparison.ts';
import { quantileSequence } from '../../../../../src/core/stats/sequential/quantile-sequence.ts';
import { expectAbsolute } from '../../../../support/close.ts';

const oneTo = (n: number, shift = 0): number[] => Array.from({ length: n }, (_, i) => i + 1 + shift);
const plan = { p: 0.5, alpha: 0.05, plannedObservations: 100 };

test.each([
  [70, 0.814704],
  [85, 0.0838055],
])('A8: medians of 1..1000 and the same shifted by %d', (shift, expected) => {
  expectAbsolute(compareQuantiles(oneTo(1000), oneTo(1000, shift), plan).pValue, expected, 1e-5);
  expectAbsolute(compareQuantiles(oneTo(1000, shift), oneTo(1000), plan).pValue, expected, 1e-5);
});

test('equal arms give no evidence, also with ties only', () => {
  expect(compareQuantiles(oneTo(300), oneTo(300), plan).pValue).toBe(1);
  expect(compareQuantiles([5, 5, 5], [5, 5, 5, 5], plan).pValue).toBe(1);
  expect(compareQuantiles([1], [1e9], plan).pValue).toBe(1);
});

test('a quantile sequence covers and tightens with more observations', () => {
  const p90 = { ...plan, p: 0.9 };
  const small = quantileSequence(oneTo(500), p90);
  const large = quantileSequence(oneTo(50_000), p90);
  expect(small.lower).toBeLessThan(450);
  expect(small.upper).toBeGreaterThan(450);
  expect((large.upper - large.lower) / 50_000).toBeLessThan((small.upper - small.lower) / 500);
});

test('an end that the data cannot bound is infinite', () => {
  expect(quantileSequence([1, 2, 3], plan)).toEqual({
    lower: Number.NEGATIVE_INFINITY,
    upper: Number.POSITIVE_INFINITY,
  });
});

test('the upper margin of p is the lower margin of 1 − p', () => {
  const values = oneTo(999);
  const low = quantileSequence(values, { ...plan, p: 0.1 });
  const high = quantileSequence(values, { ...plan, p: 0.9 });
  expect([low.lower, low.upper]).toEqual([1000 - high.upper, 1000 - high.lower]);
});

test('no observations, unsorted ones and NaN are refused', () => {
  expect(() => quantileSequence([], plan)).toThrow('SLUICE_STATS_TOO_FEW');
  expect(() => compareQuantiles([], [1], plan)).toThrow('SLUICE_STATS_TOO_FEW');
  expect(() => quantileSequence([2, 1], plan)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => compareQuantiles([1], [2, 1], plan)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => quantileSequence([1, Number.NaN, 2], plan)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => quantileSequence([1], { ...plan, p: 0 })).toThrow('SLUICE_STATS_ARGUMENT');
});
