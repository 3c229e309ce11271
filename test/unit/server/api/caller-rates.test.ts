import { expect, test } from 'vitest';
import { CallerRates } from '../../../../src/server/api/caller-rates.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const limits = { perSecond: 2, burst: 3, callers: 2 };

test('a caller may ask a few times at once, then as often as is refilled; others are not touched', async () => {
  const clock = new FakeClock();
  const rates = new CallerRates(limits, clock);
  expect([1, 2, 3].map(() => rates.take('a'))).toEqual([0, 0, 0]);
  expect(rates.take('a')).toBe(500);
  expect(rates.take('b')).toBe(0);
  await clock.advance(400);
  expect(rates.take('a')).toBe(100);
  await clock.advance(100);
  expect([rates.take('a'), rates.take('a')]).toEqual([0, 500]);
  await clock.advance(3_600_000);
  expect([1, 2, 3, 4].map(() => rates.take('a'))).toEqual([0, 0, 0, 500]);
});

test('only so many callers are remembered, and the one that was silent longest goes first', () => {
  const rates = new CallerRates(limits, new FakeClock());
  for (let i = 0; i < 3; i++) rates.take('a');
  rates.take('b');
  expect(rates.take('a')).toBe(500); // heard of again, so b is the longest silent
  rates.take('c');
  expect(rates.take('a')).toBe(500);
  expect([1, 2, 3, 4].map(() => rates.take('b'))).toEqual([0, 0, 0, 500]); // as if new
});

test('a clock that is set back gives nobody anything, and takes nothing away', () => {
  let now = 10_000;
  const rates = new CallerRates(limits, { now: () => now as never, after: () => () => {} });
  for (let i = 0; i < 3; i++) rates.take('a');
  now = 5_000;
  expect(rates.take('a')).toBe(500);
  now = 5_500;
  expect(rates.take('a')).toBe(0);
});
