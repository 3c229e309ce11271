import { expect, test } from 'vitest';
import { bucketQuantile } from '../../../../../src/core/stats/histograms/bucket-quantile.ts';
import { type Buckets, slowRequests } from '../../../../../src/core/stats/histograms/buckets.ts';
import { rankMargin } from '../../../../../src/core/stats/sequential/quantile-sequence.ts';

const infinity = Number.POSITIVE_INFINITY;
const buckets: Buckets = {
  edges: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, infinity],
  cumulative: [120, 900, 3100, 6200, 8600, 9700, 9930, 9990, 10_000, 10_000],
};
const even = (epsilon: number) => ({ below: epsilon, above: epsilon });

test('Q3 and trap 24: the p95 lies between edges; the interpolated .2227 is not an answer', () => {
  const { lower, upper, resolved } = bucketQuantile(buckets, 0.95, even(0.0266721396));
  expect([lower, upper, resolved]).toEqual([0.1, 0.5, false]);
  // What histogram_quantile would print, to show the difference.
  expect(0.1 + ((0.95 * 10_000 - 8600) / (9700 - 8600)) * (0.25 - 0.1)).toBeCloseTo(0.2227272727, 9);
});

test('with more data one bucket holds the quantile', () => {
  const many = { ...buckets, cumulative: buckets.cumulative.map((count) => count * 1000) };
  const n = 1e7;
  const margin = rankMargin(n, { p: 0.95, alpha: 0.05, plannedObservations: n });
  const answer = bucketQuantile(many, 0.95, { below: margin.below / n, above: margin.above / n });
  expect(answer).toEqual({ lower: 0.1, upper: 0.25, resolved: true });
});

test('ends without an edge are infinite', () => {
  expect(bucketQuantile(buckets, 0.001, even(0.01))).toEqual({ lower: -infinity, upper: 0.005, resolved: true });
  expect(bucketQuantile(buckets, 0.999, even(0.01))).toEqual({ lower: 0.25, upper: infinity, resolved: false });
});

test('an edge with exactly the share p bounds the quantile from above', () => {
  const two = { edges: [1, infinity], cumulative: [5, 10] };
  expect(bucketQuantile(two, 0.5, even(0)).upper).toBe(1);
});

test('slow requests are counted exactly at an edge, and nowhere else', () => {
  expect(slowRequests(buckets, 0.25)).toEqual({ slow: 300, total: 10_000 });
  expect(() => slowRequests(buckets, 0.3)).toThrow('one of the finite bucket edges');
  expect(() => slowRequests(buckets, infinity)).toThrow('SLUICE_STATS_ARGUMENT');
});

test('broken histograms are refused', () => {
  const refused = (broken: Partial<Buckets>, code = 'SLUICE_STATS_ARGUMENT') =>
    expect(() => bucketQuantile({ ...buckets, ...broken }, 0.5, even(0.01))).toThrow(code);
  refused({ edges: [], cumulative: [] });
  refused({ edges: [1, infinity], cumulative: [1] });
  refused({ edges: [1, 2], cumulative: [1, 2] });
  refused({ edges: [2, 1, infinity], cumulative: [1, 2, 3] });
  refused({ edges: [1, infinity], cumulative: [2, 1] });
  refused({ edges: [1, infinity], cumulative: [Number.NaN, 1] });
  refused({ edges: [1, infinity], cumulative: [0, 0] }, 'SLUICE_STATS_TOO_FEW');
  expect(() => bucketQuantile(buckets, 1, even(0.01))).toThrow('SLUICE_STATS_ARGUMENT');
});
