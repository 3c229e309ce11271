import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Histogram } from '../../../../hack/load/histogram.ts';

it('gives percentiles that are never below the true one and at most 5 % above', () => {
  const latencies = fc.array(fc.double({ min: 0.1, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(latencies, fc.constantFrom(0.5, 0.9, 0.99), (values, share) => {
      const histogram = new Histogram();
      for (const value of values) histogram.add(value);
      const exact = [...values].sort((a, b) => a - b)[Math.ceil(share * values.length) - 1]!;
      const estimate = histogram.percentile(share);
      expect(estimate).toBeGreaterThanOrEqual(exact * 0.9999999);
      expect(estimate).toBeLessThanOrEqual(exact * 1.0500001);
    }),
  );
});

it('is 0 when empty and takes what is beyond its last bucket', () => {
  const histogram = new Histogram();
  expect(histogram.percentiles()).toEqual({ p50: 0, p90: 0, p99: 0, max: 0 });
  histogram.add(10_000_000);
  expect(histogram.percentiles().max).toBe(10_000_000);
});
