// GrowthBook's own vectors (MIT, see test/conformance/growthbook) against our hashes and the importer's ranges.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { armIndex } from '../../../src/core/evaluation/arms.ts';
import { admissionDraw, armDraw } from '../../../src/core/evaluation/hash.ts';
import {
  bucketAbove,
  bucketsOf,
  firstBucket,
  namespaceSalt,
  type ShareRange,
  variationRanges,
} from '../../../src/importers/growthbook/ranges.ts';

const vectors = JSON.parse(readFileSync('test/conformance/growthbook/vectors.json', 'utf8')) as {
  hash: [seed: string, value: string, version: number, expected: number | null][];
  getBucketRange: [name: string, [count: number, coverage: number, weights: number[] | null], ShareRange[]][];
  chooseVariation: [name: string, n: number, ranges: ShareRange[], expected: number][];
  inNamespace: [name: string, user: string, [id: string, from: number, to: number], expected: boolean][];
};

describe('hashes of GrowthBook', () => {
  test.each(vectors.hash.filter(([, , , expected]) => expected !== null))(
    'seed "%s", value "%s", version %i: %f',
    (seed, value, version, expected) => {
      const hash = version === 1 ? 'growthbook/1' : 'growthbook/2';
      expect(armDraw(hash, seed, 10_000)(value) / 10_000).toBe(expected);
      expect(admissionDraw(hash, seed)(value) / 10_000).toBe(expected);
    },
  );
});

describe('ranges of GrowthBook', () => {
  const rounded = (ranges: readonly ShareRange[]) => ranges.map(([from, to]) => [from.toFixed(6), to.toFixed(6)]);

  test.each(vectors.getBucketRange)('%s', (_, [count, coverage, weights], expected) => {
    expect(rounded(variationRanges(count, coverage, weights))).toEqual(rounded(expected));
  });

  test.each(vectors.chooseVariation)('%s', (_, n, ranges, expected) => {
    const bucket = Math.round(n * 10_000);
    const buckets = ranges.map(bucketsOf);
    const admitted = buckets.some(({ from, to }) => bucket >= from && bucket < to);
    const ends = buckets.map(({ to }, index) => buckets[index + 1]?.from ?? Math.max(to, 10_000));
    expect(admitted ? armIndex(ends, bucket) : -1).toBe(expected);
  });

  test('have the same members in buckets as in shares', () => {
    const share = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: 1_000 }).map((n) => n / 1_000),
    );
    fc.assert(
      fc.property(share, fc.integer({ min: 0, max: 9_999 }), (bound, bucket) => {
        expect(bucket < firstBucket(bound)).toBe(bucket / 10_000 < bound);
        expect(bucket < bucketAbove(bound)).toBe(bucket / 10_000 <= bound);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('namespaces of GrowthBook', () => {
  test.each(vectors.inNamespace)('%s', (_, user, [id, ...range], expected) => {
    const bucket = admissionDraw('growthbook/1', namespaceSalt(id))(user);
    const { from, to } = bucketsOf(range);
    expect(bucket >= from && bucket < to).toBe(expected);
  });
});
