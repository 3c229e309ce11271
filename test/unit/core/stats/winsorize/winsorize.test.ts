import { expect, test } from 'vitest';
import { capOf, winsorize } from '../../../../../src/core/stats/winsorize/cap.ts';
import { quantileType7 } from '../../../../../src/core/stats/winsorize/quantile-type7.ts';
import { expectAbsolute } from '../../../../support/close.ts';

const values = [0, 0, 0, 1, 2, 2, 3, 5, 8, 40];

test('F11: the .90 quantile of all and the .95 quantile of the non-zeros', () => {
  expectAbsolute(quantileType7(values, 0.9), 11.2, 1e-9);
  expectAbsolute(capOf([values], { kind: 'percentile', percentile: 0.95, of: 'NonZeros' }), 30.4, 1e-9);
});

test('a quantile reaches the smallest and the largest value', () => {
  expect([quantileType7(values, 0), quantileType7(values, 1), quantileType7([7], 0.5)]).toEqual([0, 40, 7]);
});

test('the cap is of all arms pooled: caps per arm would hide the effect', () => {
  const control = [1, 2, 3, 4, 5];
  const treatment = control.map((value) => value * 10);
  const cap = capOf([control, treatment], { kind: 'percentile', percentile: 0.9, of: 'All' });
  expect(cap).toBe(quantileType7([...control, ...treatment], 0.9));
  expect(winsorize(control, cap).capped).toBe(0);
  expect(winsorize(treatment, cap)).toMatchObject({ capped: 1, uncappedMean: 30 });
});

test('winsorising reports both means and how many units were cut', () => {
  const result = winsorize(values, 8);
  expect(result.values).toEqual([0, 0, 0, 1, 2, 2, 3, 5, 8, 8]);
  expect(result.capped).toBe(1);
  expectAbsolute(result.cappedMean!, 2.9, 1e-12);
  expectAbsolute(result.uncappedMean!, 6.1, 1e-12);
  expect(winsorize([], 1)).toEqual({ values: [], capped: 0, cappedMean: undefined, uncappedMean: undefined });
});

test('an absolute cap is itself', () => {
  expect(capOf([], { kind: 'absolute', cap: 3 })).toBe(3);
});

test('no values, NaN and levels out of range are refused', () => {
  const percentile = { kind: 'percentile', percentile: 0.9, of: 'NonZeros' } as const;
  expect(() => quantileType7([], 0.5)).toThrow('SLUICE_STATS_TOO_FEW');
  expect(() => capOf([[0, 0]], percentile)).toThrow('SLUICE_STATS_TOO_FEW');
  expect(() => capOf([[1]], { ...percentile, percentile: 1 })).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => capOf([], { kind: 'absolute', cap: Number.NaN })).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => quantileType7([1, Number.NaN], 0.5)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => winsorize([Number.POSITIVE_INFINITY], 1)).toThrow('SLUICE_STATS_ARGUMENT');
});

test('values come in any order, and their order of size is that of numbers', () => {
  expect(quantileType7([40, 5, 0, 100, 8], 0.5)).toBe(8);
  expect(quantileType7([-1.7e308, 1.7e308], 0)).toBe(-1.7e308);
});

test('zeros count in the quantile of all, and only there', () => {
  const rule = { kind: 'percentile', percentile: 0.5 } as const;
  expect(
    capOf(
      [
        [0, 0],
        [0, 6, 10],
      ],
      { ...rule, of: 'All' },
    ),
  ).toBe(0);
  expect(
    capOf(
      [
        [0, 0],
        [0, 6, 10],
      ],
      { ...rule, of: 'NonZeros' },
    ),
  ).toBe(8);
});

test('an absolute cap is a finite number', () => {
  expect(capOf([], { kind: 'absolute', cap: -3 })).toBe(-3);
  expect(() => capOf([], { kind: 'absolute', cap: Number.POSITIVE_INFINITY })).toThrow('cap must be a finite number');
});
