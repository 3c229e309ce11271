import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { armEnds, armIndex } from '../../../../src/core/evaluation/arms.ts';

const { arms } = JSON.parse(readFileSync('test/conformance/sluice/arms.json', 'utf8')) as {
  arms: { weights: number[]; ends: number[] }[];
};

describe('arms', () => {
  test.each(arms)('of weights $weights end at $ends', ({ weights, ends }) => {
    expect(armEnds(weights)).toEqual(ends);
  });

  test('cover every bucket once, each with its share to one bucket', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(
        weights.filter((list) => list.some((one) => one > 0)),
        (hundredths) => {
          const ends = armEnds(hundredths.map((one) => one / 100));
          const sum = hundredths.reduce((total, one) => total + one, 0);
          const sizes = ends.map((end, index) => end - (ends[index - 1] ?? 0));
          expect(ends.at(-1)).toBe(10_000);
          for (const [index, arm] of sizes.entries()) {
            expect(Math.abs(arm - (10_000 * (hundredths[index] as number)) / sum)).toBeLessThan(
              index === sizes.length - 1 ? 1.000_001 : 1,
            );
          }
        },
      ),
    );
  });

  test('are half open', () => {
    expect([0, 4_999, 5_000, 9_999].map((bucket) => armIndex([5_000, 5_000, 10_000], bucket))).toEqual([0, 0, 2, 2]);
  });
});
