import { expect, test } from 'vitest';
import { logAddExp, logDiffExp, logSumExp } from '../../../../../src/core/stats/special/logsumexp.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

test('a difference of neighbours keeps its digits: ln(1 − exp(−x)) is ln x − x / 2 for small x', () => {
  const small = Math.log(1e-10) - 5e-11;
  expectRelative(logDiffExp(0, -1e-10), small, 1e-14);
  expectRelative(logDiffExp(1e-10, 0), small + 1e-10, 1e-14);
  // At −8 the doubles are 8.9e-16 apart: the distance is what two of them can say.
  const distance = -8 - (-8 - 1e-6);
  expectAbsolute(logDiffExp(-8, -8 - 1e-6), -8 + Math.log(distance) - distance / 2, 1e-12);
});

test('a difference far below is a correction of its own size: ln(1 − exp(−x)) is −exp(−x) for large x', () => {
  expectRelative(logDiffExp(0, -40), -Math.exp(-40), 1e-14);
});

test('a half is where both ways meet', () => {
  expectRelative(logDiffExp(0, -Math.LN2), -Math.LN2, 1e-15);
});

test('nothing less nothing is nothing, and nothing adds nothing', () => {
  expect(logDiffExp(-Infinity, -Infinity)).toBe(-Infinity);
  expect(logDiffExp(3, -Infinity)).toBe(3);
  expect(logAddExp(-Infinity, -Infinity)).toBe(-Infinity);
  expect(logAddExp(-Infinity, 3)).toBe(3);
  expect(logAddExp(Infinity, Infinity)).toBe(Infinity);
  expect(logSumExp([])).toBe(-Infinity);
  expect(logSumExp([-Infinity, -Infinity])).toBe(-Infinity);
  expect(logSumExp([-Infinity, Infinity])).toBe(Infinity);
});

test('sums of what would overflow or underflow', () => {
  expectRelative(logAddExp(1000, 1000), 1000 + Math.LN2, 1e-15);
  expectRelative(logSumExp([-1000, -1000, -1000, -1000]), -1000 + Math.log(4), 1e-15);
  expectRelative(logAddExp(0, -40), Math.exp(-40), 1e-14);
});

test.each<[string, object, () => unknown]>([
  ['a must be at least b, not 1 < 2', { a: 1, b: 2 }, () => logDiffExp(1, 2)],
  ['a must be a number, not NaN', { name: 'a', value: Number.NaN }, () => logAddExp(Number.NaN, 1)],
  ['b must be a number, not NaN', { name: 'b', value: Number.NaN }, () => logAddExp(1, Number.NaN)],
  ['a must be a number, not NaN', { name: 'a', value: Number.NaN }, () => logDiffExp(Number.NaN, 1)],
  ['b must be a number, not NaN', { name: 'b', value: Number.NaN }, () => logDiffExp(1, Number.NaN)],
  ['value must be a number, not NaN', { name: 'value', value: Number.NaN }, () => logSumExp([1, Number.NaN])],
])('%s', (message, facts, call) => {
  expect(call).toThrow(expect.objectContaining({ message: `SLUICE_STATS_ARGUMENT: ${message}`, facts }));
});
