import { expect, test } from 'vitest';
import { quantilesOf } from '../../../../../hack/bench/rollback/figure.ts';
import { missedOf } from '../../../../../hack/bench/rollback/polling.ts';

test('a quantile is the smallest measured value that so many do not exceed', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(quantilesOf(hundred)).toEqual({ count: 100, p50: 50, p99: 99, max: 100 });
  expect(quantilesOf([7])).toEqual({ count: 1, p50: 7, p99: 7, max: 7 });
});

test('an instant of the schedule that nobody asked for is missed', () => {
  const seen = new Set([1_003, 1_013, 1_033]);
  expect(missedOf(seen, 10, 1_000, 1_040)).toBe(1);
  expect(missedOf(new Set([...seen, 1_023]), 10, 1_000, 1_040)).toBe(0);
});

test('an instant before or after the measured time does not count', () => {
  expect(missedOf(new Set([993, 1_003, 1_013]), 10, 1_000, 1_020)).toBe(0);
  expect(missedOf(new Set([1_043, 1_003]), 10, 1_000, 1_020)).toBe(1);
});

test('a rollout that nobody asks about misses all of its instants', () => {
  expect(missedOf(new Set(), 10, 1_000, 1_040)).toBe(4);
});
