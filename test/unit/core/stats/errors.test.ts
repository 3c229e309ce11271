import { expect, test } from 'vitest';
import {
  requireCount,
  requireFinite,
  requireNonNegative,
  requireNumber,
  requirePositive,
  requireProbability,
  requireSorted,
  requireUnitInterval,
  statsError,
} from '../../../../src/core/stats/errors.ts';

const { MAX_VALUE, MAX_SAFE_INTEGER, MIN_VALUE, NaN: nan, POSITIVE_INFINITY: inf } = Number;

test.each([
  ['finite', requireFinite, 'a finite number', [-MAX_VALUE, 0, MAX_VALUE], [nan, inf, -inf]],
  ['positive', requirePositive, 'a finite number above 0', [MIN_VALUE, MAX_VALUE], [0, -1, inf, nan]],
  ['non-negative', requireNonNegative, 'a finite number of at least 0', [0, MAX_VALUE], [-MIN_VALUE, inf, nan]],
  [
    'probability',
    requireProbability,
    'inside (0, 1), at least 1e-300',
    [1e-300, 0.5, 1 - 2e-16],
    [0, 9e-301, 1, 2, nan],
  ],
  ['share', requireUnitInterval, 'inside [0, 1]', [0, 0.5, 1], [-MIN_VALUE, 1 + 3e-16, nan]],
  [
    'count',
    requireCount,
    'an integer of at least 0',
    [0, 7, MAX_SAFE_INTEGER],
    [-1, 0.5, MAX_SAFE_INTEGER + 1, inf, nan],
  ],
  ['number', requireNumber, 'a number', [-inf, 0, inf], [nan]],
] as const)('a %s is answered, anything else refused by name', (_what, guard, wanted, good, bad) => {
  for (const value of good) expect(guard('it', value)).toBe(value);
  for (const value of bad) {
    const message = `SLUICE_STATS_ARGUMENT: it must be ${wanted}, not ${value}`;
    expect(() => guard('it', value)).toThrow(
      expect.objectContaining({ code: 'SLUICE_STATS_ARGUMENT', message, facts: { name: 'it', value } }),
    );
  }
});

test('sorted values may repeat, and need no values at all', () => {
  expect(() => requireSorted([])).not.toThrow();
  expect(() => requireSorted([-5])).not.toThrow();
  expect(() => requireSorted([-1, 2, 2, 3])).not.toThrow();
});

test('the first value out of order is named, and holes are not numbers', () => {
  expect(() => requireSorted([1, 3, 2, 1])).toThrow(
    expect.objectContaining({ message: 'SLUICE_STATS_ARGUMENT: values must be sorted', facts: { index: 2 } }),
  );
  expect(() => requireSorted([1, nan])).toThrow('value must be a finite number, not NaN');
  expect(() => requireSorted(new Array<number>(2))).toThrow('value must be a finite number, not undefined');
});

test('an error without facts has none', () => {
  expect(statsError('SLUICE_STATS_NO_ROOT', 'no root')).toMatchObject({
    message: 'SLUICE_STATS_NO_ROOT: no root',
    facts: {},
  });
});
