import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DurationMs, EpochMs } from '../../../src/base/units.ts';
import { latestDue, nextDue, scheduleOf, timeoutOf } from '../../../src/providers/polling.ts';

const seconds = (n: number) => (n * 1000) as DurationMs;
const now = fc.integer({ min: 1_700_000_000_000, max: 2_000_000_000_000 }).map((n) => n as EpochMs);
const interval = fc.integer({ min: 1, max: 3_600_000 }).map((n) => n as DurationMs);

test('the latest instant is not after now, the next one is, and they are one interval apart', () => {
  fc.assert(
    fc.property(now, interval, fc.string(), (at, intervalMs, text) => {
      const schedule = scheduleOf('default', text, intervalMs);
      const latest = latestDue(schedule, at);
      expect(latest).toBeLessThanOrEqual(at);
      expect(nextDue(schedule, at)).toBeGreaterThan(at);
      expect(nextDue(schedule, at) - latest).toBe(intervalMs);
      expect(latestDue(schedule, latest)).toBe(latest);
    }),
  );
});

test('a worker that is always late still asks for every instant, without drift', () => {
  const schedule = scheduleOf('default', 'up', seconds(10));
  const first = nextDue(schedule, 1_800_000_000_000 as EpochMs);
  let woken = (first + 700) as EpochMs;
  for (let i = 0; i < 1000; i++) {
    expect(latestDue(schedule, woken)).toBe(first + i * 10_000);
    woken = (nextDue(schedule, woken) + 700) as EpochMs;
  }
});

test('a worker that missed instants asks only for the last one', () => {
  const schedule = scheduleOf('default', 'up', seconds(10));
  const first = nextDue(schedule, 1_800_000_000_000 as EpochMs);
  expect(latestDue(schedule, (first + 35_000) as EpochMs)).toBe(first + 30_000);
});

test('a thousand different questions spread evenly over the interval', () => {
  const perSecond = new Array<number>(10).fill(0);
  for (let i = 0; i < 1000; i++) {
    const { phaseMs } = scheduleOf('default', `sum(errors{rollout="app-${i}"})`, seconds(10));
    perSecond[Math.floor(phaseMs / 1000)]! += 1;
  }
  // 100 are expected in each second; six standard deviations are 57.
  for (const count of perSecond) expect(Math.abs(count - 100)).toBeLessThan(57);
});

test('equal questions coincide, also when one is asked less often', () => {
  fc.assert(
    fc.property(now, fc.string(), (at, text) => {
      const often = scheduleOf('default', text, seconds(10));
      const seldom = scheduleOf('default', text, seconds(30));
      const instant = nextDue(seldom, at);
      expect(latestDue(often, instant)).toBe(instant);
    }),
  );
});

test('the provider is part of the question', () => {
  expect(scheduleOf('a', 'up', seconds(60))).not.toEqual(scheduleOf('b', 'up', seconds(60)));
});

test('a query has its timeout to answer, but never more than its interval', () => {
  expect(timeoutOf(scheduleOf('a', 'up', seconds(1)), seconds(5))).toBe(1000);
  expect(timeoutOf(scheduleOf('a', 'up', seconds(60)), seconds(5))).toBe(5000);
});
