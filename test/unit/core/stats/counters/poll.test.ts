import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DurationMs } from '../../../../../src/base/units.ts';
import {
  type CounterArm,
  type CounterSample,
  type PollState,
  pollCounters,
  startPoll,
} from '../../../../../src/core/stats/counters/poll.ts';

const tenSeconds = 10_000 as DurationMs;
const sample = (arm: CounterArm, series: string, requests: number, errors: number): CounterSample => ({
  arm,
  series,
  requests,
  errors,
});
const canary = (requests: number, errors: number, series = 'c1') => sample('canary', series, requests, errors);
const stable = (requests: number, errors: number, series = 's1') => sample('stable', series, requests, errors);

function polls(...rounds: CounterSample[][]) {
  let state: PollState = startPoll;
  return rounds.map((samples) => {
    const result = pollCounters(state, samples, tenSeconds);
    state = result.state;
    return result;
  });
}

test('a first sample is a baseline, not an interval', () => {
  const [first, second] = polls([canary(1000, 50), stable(9000, 10)], [canary(1100, 51), stable(9900, 13)]);
  expect(first!.interval).toBeUndefined();
  expect(second!.interval).toMatchObject({
    canaryRequests: 100,
    canaryErrors: 1,
    stableRequests: 900,
    stableErrors: 3,
  });
});

test('a counter that fell was reset: what it shows came since', () => {
  const [, second] = polls([canary(1000, 50), stable(9000, 10)], [canary(30, 2), stable(9900, 13)]);
  expect(second!.interval).toMatchObject({ canaryRequests: 30, canaryErrors: 2 });
});

test('a reset is seen by either counter: errors that fell while requests already passed their old value', () => {
  const [, second] = polls([canary(100, 50), stable(9000, 10)], [canary(130, 2), stable(9900, 13)]);
  expect(second!.interval).toMatchObject({ canaryRequests: 130, canaryErrors: 2 });
});

test('a missing arm is never zero: its part comes with the next interval', () => {
  const rounds = polls([canary(0, 0), stable(0, 0)], [stable(900, 9)], [canary(200, 4), stable(1800, 18)]);
  expect(rounds.map((round) => round.interval)).toEqual([
    undefined,
    undefined,
    { canaryRequests: 200, canaryErrors: 4, stableRequests: 1800, stableErrors: 18, duration: 30_000 },
  ]);
});

test('trap 8: NaN counts as not seen and is reported', () => {
  const rounds = polls(
    [canary(0, 0), stable(0, 0)],
    [canary(Number.NaN, 0), stable(900, 9)],
    [canary(10, Number.POSITIVE_INFINITY), stable(950, 9)],
  );
  expect(rounds.map(({ interval, unusable }) => [interval, unusable])).toEqual([
    [undefined, 0],
    [undefined, 1],
    [undefined, 1],
  ]);
});

test('trap 9: pods come and go without counting twice or going back', () => {
  const rounds = polls(
    [canary(0, 0), stable(500, 5, 's1')],
    [canary(100, 1), stable(900, 9, 's1'), stable(70_000, 700, 's2')],
    [canary(200, 2), stable(70_900, 709, 's2')],
  );
  expect(rounds[1]!.interval).toMatchObject({ stableRequests: 400, stableErrors: 4 });
  expect(rounds[2]!.interval).toMatchObject({ stableRequests: 900, stableErrors: 9 });
});

test('errors that were scraped before their requests wait for them', () => {
  const rounds = polls([canary(0, 0), stable(0, 0)], [canary(0, 2), stable(10, 0)], [canary(40, 2), stable(20, 0)]);
  expect(rounds[1]!.interval).toBeUndefined();
  expect(rounds[2]!.interval).toMatchObject({ canaryRequests: 40, canaryErrors: 2, stableRequests: 20 });
});

test('a process that is gone for long is forgotten', () => {
  let state = pollCounters(startPoll, [canary(10, 0), stable(10, 0, 'gone')], tenSeconds).state;
  for (let i = 0; i < 31; i++) state = pollCounters(state, [canary(10, 0)], tenSeconds).state;
  expect(Object.keys(state.baselines)).toEqual(['c1']);
});

test('whatever is missing in between, intervals sum to what the counters gained', () => {
  const seen = fc.array(fc.tuple(fc.nat(100), fc.nat(9), fc.nat(100), fc.nat(9), fc.boolean(), fc.boolean()), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(seen, (steps) => {
      let state = pollCounters(startPoll, [canary(0, 0), stable(0, 0)], tenSeconds).state;
      const counter = { cr: 0, ce: 0, sr: 0, se: 0 };
      const sum = { cr: 0, ce: 0, sr: 0, se: 0, ms: 0 };
      for (const [cr, ce, sr, se, canaryThere, stableThere] of [...steps, [1, 0, 1, 0, true, true] as const]) {
        counter.cr += cr;
        counter.ce += ce;
        counter.sr += sr;
        counter.se += se;
        const samples = [
          ...(canaryThere ? [canary(counter.cr, counter.ce)] : []),
          ...(stableThere ? [stable(counter.sr, counter.se)] : []),
        ];
        const result = pollCounters(JSON.parse(JSON.stringify(state)) as PollState, samples, tenSeconds);
        state = result.state;
        if (!result.interval) continue;
        sum.cr += result.interval.canaryRequests;
        sum.ce += result.interval.canaryErrors;
        sum.sr += result.interval.stableRequests;
        sum.se += result.interval.stableErrors;
        sum.ms += result.interval.duration;
      }
      expect(sum).toEqual({ ...counter, ms: 10_000 * (steps.length + 2) });
    }),
  );
});

test.each([
  ['fewer requests than none', canary(-1, 0)],
  ['fewer errors than none', canary(1000, -1)],
  ['requests without end', canary(Number.POSITIVE_INFINITY, 0)],
  ['both without end', canary(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)],
])('a sample of %s counts as not seen', (_what, bad) => {
  const result = polls([canary(900, 0), stable(900, 0)], [bad, stable(1000, 0)])[1]!;
  expect(result).toMatchObject({ unusable: 1, interval: undefined });
  expect(result.state.baselines.c1).toMatchObject({ requests: 900, pollsMissed: 1 });
});

test('a counter of requests that fell was reset, though errors did not fall', () => {
  const [, second] = polls([canary(1000, 0), stable(900, 0)], [canary(40, 0), stable(1000, 0)]);
  expect(second!.interval).toMatchObject({ canaryRequests: 40, canaryErrors: 0 });
});

test('errors of stable without requests keep the interval open; no errors and no requests do not', () => {
  const [, second] = polls([canary(1000, 0), stable(900, 3)], [canary(1100, 0), stable(900, 5)]);
  expect(second!.interval).toBeUndefined();
  const [, quiet] = polls([canary(1000, 0), stable(900, 3)], [canary(1000, 0), stable(900, 3)]);
  expect(quiet!.interval).toMatchObject({ canaryRequests: 0, stableRequests: 0 });
});
