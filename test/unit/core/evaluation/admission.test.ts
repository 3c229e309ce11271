import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resizeAdmission, sizeOf } from '../../../../src/core/evaluation/admission.ts';
import type { Ranges } from '../../../../src/wire/draw.ts';

const bucketsOf = (ranges: Ranges) =>
  new Set(ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i)));
const size = fc.integer({ min: 0, max: 10_000 });

describe('resizeAdmission', () => {
  test('takes the lowest free buckets', () => {
    expect(resizeAdmission([], 500)).toEqual([[0, 500]]);
    expect(resizeAdmission([[0, 500]], 800)).toEqual([[0, 800]]);
    expect(resizeAdmission([[0, 500]], 800, [[500, 600]])).toEqual([
      [0, 500],
      [600, 900],
    ]);
    expect(resizeAdmission([[600, 700]], 300, [[100, 600]])).toEqual([
      [600, 700],
      [0, 100],
      [700, 800],
    ]);
  });

  test('gives the newest back first', () => {
    expect(
      resizeAdmission(
        [
          [600, 700],
          [0, 100],
          [700, 800],
        ],
        150,
      ),
    ).toEqual([
      [600, 700],
      [0, 50],
    ]);
    expect(resizeAdmission([[0, 500]], 0)).toEqual([]);
  });

  test('has no answer when too little is free', () => {
    expect(resizeAdmission([], 9_001, [[0, 1_000]])).toBeUndefined();
    expect(resizeAdmission([], 9_000, [[0, 1_000]])).toEqual([[1_000, 10_000]]);
  });

  test('moves nobody out while it grows, and nobody in while it shrinks, beside any neighbours', () => {
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 6 }), fc.array(size, { maxLength: 3 }), (steps, others) => {
        let taken: Ranges = [];
        for (const other of others)
          taken = resizeAdmission(taken, Math.max(sizeOf(taken), Math.floor(other / 3))) ?? taken;
        let held: Ranges = [];
        for (const wanted of steps) {
          const next = resizeAdmission(held, wanted, taken);
          if (next === undefined) {
            expect(wanted).toBeGreaterThan(10_000 - sizeOf(taken));
            continue;
          }
          const [before, after, foreign] = [bucketsOf(held), bucketsOf(next), bucketsOf(taken)];
          expect(after.size).toBe(wanted);
          expect(sizeOf(next)).toBe(wanted);
          const [smaller, larger] = wanted >= before.size ? [before, after] : [after, before];
          expect([...smaller].every((bucket) => larger.has(bucket))).toBe(true);
          expect([...after].some((bucket) => foreign.has(bucket))).toBe(false);
          held = next;
        }
      }),
    );
  });

  test('comes back to the same people after growing and shrinking', () => {
    fc.assert(
      fc.property(size, size, (first, second) => {
        const [small, large] = [Math.min(first, second), Math.max(first, second)];
        const held = resizeAdmission([[9_000, 9_100]], 100 + Math.min(small, 9_900)) as Ranges;
        const grown = resizeAdmission(held, Math.max(sizeOf(held), large)) as Ranges;
        expect(bucketsOf(resizeAdmission(grown, sizeOf(held)) as Ranges)).toEqual(bucketsOf(held));
      }),
    );
  });
});
