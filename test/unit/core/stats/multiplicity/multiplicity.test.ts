import fc from 'fast-check';
import { expect, test } from 'vitest';
import { benjaminiHochberg, holm } from '../../../../../src/core/stats/multiplicity/adjusted-p-values.ts';
import { eBenjaminiHochberg } from '../../../../../src/core/stats/multiplicity/e-benjamini-hochberg.ts';
import { preferentialBonferroni } from '../../../../../src/core/stats/multiplicity/preferential-bonferroni.ts';
import { expectAbsolute } from '../../../../support/close.ts';

const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

test('F8: Holm', () => {
  const adjusted = holm([0.01, 0.04, 0.03, 0.005, 0.55, 0.6]);
  [0.05, 0.12, 0.12, 0.03, 1, 1].forEach((expected, i) => {
    expectAbsolute(adjusted[i]!, expected, 1e-9);
  });
});

test('F9: Benjamini and Hochberg, in input order', () => {
  const adjusted = benjaminiHochberg([0.898, 0.138, 0.007, 0.964, 0.538, 0.006, 0.138]);
  [0.964, 0.2415, 0.0245, 0.964, 0.7532, 0.0245, 0.2415].forEach((expected, i) => {
    expectAbsolute(adjusted[i]!, expected, 1e-8);
  });
});

test('an empty list stays empty and one p-value stays itself', () => {
  expect([holm([]), benjaminiHochberg([]), eBenjaminiHochberg([], 0.05)]).toEqual([[], [], []]);
  expect([holm([0.03]), benjaminiHochberg([0.03])]).toEqual([[0.03], [0.03]]);
});

test('adjusting never lowers a p-value and never turns the order', () => {
  fc.assert(
    fc.property(pValues, (raw) => {
      for (const adjusted of [holm(raw), benjaminiHochberg(raw)]) {
        raw.forEach((p, i) => {
          expect(adjusted[i]).toBeGreaterThanOrEqual(p * (1 - 1e-15));
          expect(adjusted[i]).toBeLessThanOrEqual(1);
          raw.forEach((q, j) => {
            if (p < q) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j]!);
          });
        });
      }
    }),
  );
});

test('e-BH rejects the k largest once the k-th reaches m / (alpha k)', () => {
  // m = 4, alpha = .05: bars 80, 40, 26.7, 20.
  const logs = [45, 3, 41, 30].map(Math.log);
  expect(eBenjaminiHochberg(logs, 0.05)).toEqual([true, false, true, true]);
  expect(eBenjaminiHochberg([79, 3, 26, 19].map(Math.log), 0.05)).toEqual([false, false, false, false]);
  expect(eBenjaminiHochberg([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], 0.05)).toEqual([true, false]);
});

test('e-BH rejects exactly what Benjamini and Hochberg reject for p = 1 / E', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 12, noNaN: true }), { minLength: 1, maxLength: 12 }), (logs) => {
      const byP = benjaminiHochberg(logs.map((logE) => Math.exp(-logE))).map((p) => p <= 0.05);
      expect(eBenjaminiHochberg(logs, 0.05)).toEqual(byP);
    }),
  );
});

test('preferential Bonferroni spends alpha exactly', () => {
  const { preferred, other } = preferentialBonferroni({ alpha: 0.05, comparisons: 3, metrics: 5, preference: 0.6 });
  expectAbsolute(preferred, 0.01, 1e-15);
  expectAbsolute(3 * preferred + 3 * 4 * other, 0.05, 1e-15);
  expect(preferentialBonferroni({ alpha: 0.05, comparisons: 2, metrics: 1, preference: 0.6 }).preferred).toBe(0.025);
});

test.each([Number.NaN, -0.1, 1.1, Number.POSITIVE_INFINITY])('a p-value of %d is refused', (p) => {
  expect(() => holm([0.1, p])).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => benjaminiHochberg([0.1, p])).toThrow('SLUICE_STATS_ARGUMENT');
});

test('NaN evidence, a level outside (0, 1) and no metrics are refused', () => {
  expect(() => eBenjaminiHochberg([Number.NaN], 0.05)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => eBenjaminiHochberg([1], 0)).toThrow('SLUICE_STATS_ARGUMENT');
  const plan = { alpha: 0.05, comparisons: 1, metrics: 0, preference: 0.5 };
  expect(() => preferentialBonferroni(plan)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => preferentialBonferroni({ ...plan, metrics: 1, alpha: 1 })).toThrow('SLUICE_STATS_ARGUMENT');
});
