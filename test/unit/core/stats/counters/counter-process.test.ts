import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DurationMs } from '../../../../../src/base/units.ts';
import {
  type CounterState,
  counterEvidence,
  enterCounterStep,
  observeCounter,
  startCounter,
} from '../../../../../src/core/stats/counters/counter-process.ts';
import { dispersionOf } from '../../../../../src/core/stats/counters/dispersion.ts';
import type { CounterInterval } from '../../../../../src/core/stats/counters/interval.ts';
import { fittedLogRatio, pearson } from '../../../../../src/core/stats/counters/rate-ratio-fit.ts';
import { logMean } from '../../../../../src/core/stats/counters/restarted-mixture.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

const interval = (
  canaryErrors: number,
  stableErrors: number,
  canaryRequests: number,
  stableRequests: number,
  durationMs = 10_000,
): CounterInterval => ({
  canaryErrors,
  stableErrors,
  canaryRequests,
  stableRequests,
  duration: durationMs as DurationMs,
});

const goldenIntervals = [
  interval(3, 9, 600, 5400),
  interval(4, 11, 610, 5390),
  interval(6, 10, 1500, 4500),
  interval(12, 9, 1490, 4510),
  interval(20, 11, 3000, 3000),
];

const after = (state: CounterState, intervals: readonly CounterInterval[]): CounterState =>
  intervals.reduce(observeCounter, state);
const firstRun = (state: CounterState): number => logMean(state.ratio!.harm.runs[0]!.logs);
const sideOf = (state: CounterState) => counterEvidence(state).sides[0]!;

test('A19: evidence for harm after each interval, with margin 0', () => {
  let state = startCounter({ relative: 0 });
  const expected = [0.599361, 1.786281, 1.950547, 6.030196, 6.731583];
  goldenIntervals.forEach((seen, i) => {
    state = observeCounter(state, seen);
    expectAbsolute(firstRun(state), expected[i]!, 1e-6);
  });
});

test('A20: the rate ratio and dispersion of the conditional fit', () => {
  const { fit } = after(startCounter({ relative: 0 }), goldenIntervals).ratio!;
  const logRatio = fittedLogRatio(fit);
  expectAbsolute(Math.exp(logRatio), 2.521039086, 1e-7);
  expectAbsolute(pearson(fit, logRatio) / 4, 0.648992907, 1e-7);
  expect(dispersionOf({ chiSquare: pearson(fit, logRatio), degrees: 4 })).toBe(1);
});

test('the fit solves its equation, and its chi-square is the textbook sum, for any intervals', () => {
  const some = fc.record({
    ec: fc.nat(50),
    es: fc.nat(50),
    rc: fc.integer({ min: 1, max: 1e6 }),
    rs: fc.integer({ min: 1, max: 1e6 }),
  });
  fc.assert(
    fc.property(fc.array(some, { minLength: 1, maxLength: 12 }), (rows) => {
      const intervals = rows.map(({ ec, es, rc, rs }) => interval(ec, es, rc, rs));
      const { fit } = after(startCounter({ relative: 0 }), intervals).ratio!;
      const logRatio = fittedLogRatio(fit);
      const shares = rows.map(({ rc, rs }) => (rc * Math.exp(logRatio)) / (rc * Math.exp(logRatio) + rs));
      const surplus = rows.reduce((sum, { ec, es }, i) => sum + ec - (ec + es) * shares[i]!, 0);
      const errors = rows.reduce((sum, { ec, es }) => sum + ec + es, 0);
      if (Math.abs(logRatio) < Math.log(63)) expectAbsolute(surplus, 0, 1e-6 * (1 + errors));
      const textbook = rows.reduce((sum, { ec, es }, i) => {
        const [n, q] = [ec + es, shares[i]!];
        return n === 0 ? sum : sum + (ec - n * q) ** 2 / (n * q * (1 - q));
      }, 0);
      expectAbsolute(pearson(fit, logRatio), textbook, 1e-6 * (1 + textbook));
    }),
  );
});

test('the state is JSON: evidence survives a round trip at any point, bit for bit', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.boolean(), (cut, step) => {
      const rows = Array.from({ length: 41 }, (_, i) => interval((i * 7) % 5, (i * 5) % 11, 100 + i, 900 - i, 300_000));
      const start = startCounter({ relative: 0.5, maxPer10k: 3 });
      let direct = after(start, rows.slice(0, cut));
      if (step) direct = enterCounterStep(direct);
      const stored = JSON.parse(JSON.stringify(direct)) as CounterState;
      expect(stored).toEqual(direct);
      expect(counterEvidence(after(stored, rows.slice(cut)))).toEqual(counterEvidence(after(direct, rows.slice(cut))));
    }),
  );
});

test('the state stays small over a day of polls', () => {
  let state = startCounter({ relative: 0.5, maxPer10k: 1 });
  for (let i = 0; i < 8640; i++) state = observeCounter(state, interval(i % 2, 9, 1000, 9000));
  const numbers = JSON.stringify(state).match(/-?\d+(\.\d+)?(e[+-]\d+)?/g)!;
  expect(numbers.length).toBeLessThan(150);
});

test('an interval without errors, or without the traffic of one arm, says nothing about the ratio', () => {
  const state = after(startCounter({ relative: 0.5 }), goldenIntervals);
  const evidence = counterEvidence(state);
  expect(counterEvidence(observeCounter(state, interval(0, 0, 500, 500)))).toEqual(evidence);
  expect(counterEvidence(observeCounter(state, interval(0, 5, 0, 500)))).toEqual(evidence);
  expect(counterEvidence(observeCounter(state, interval(5, 0, 500, 0)))).toEqual(evidence);
});

test('trap 2: a ramp over a drifting baseline is no harm, though pooled rates differ twofold', () => {
  let state = startCounter({ relative: 0 });
  let pooled = { canary: 0, stable: 0, canaryRequests: 0, stableRequests: 0 };
  for (let i = 0; i < 40; i++) {
    const weight = [0.05, 0.1, 0.25, 0.5][Math.floor(i / 10)]!;
    const rate = 0.005 * (0.5 + i / 20);
    const [rc, rs] = [6000 * weight, 6000 * (1 - weight)];
    const seen = interval(rc * rate, rs * rate, rc, rs);
    state = observeCounter(state, seen);
    pooled = {
      canary: pooled.canary + seen.canaryErrors,
      stable: pooled.stable + seen.stableErrors,
      canaryRequests: pooled.canaryRequests + rc,
      stableRequests: pooled.stableRequests + rs,
    };
  }
  expect(pooled.canary / pooled.canaryRequests / (pooled.stable / pooled.stableRequests)).toBeGreaterThan(1.3);
  expectRelative(counterEvidence(state).rateRatio!, 1, 1e-6);
  expect(sideOf(state).logHarm).toBeLessThan(0);
});

test('trap 3: bursts raise the dispersion, and the evidence is divided by it', () => {
  const calm = Array.from({ length: 20 }, () => interval(20, 20, 500, 500));
  const bursty = Array.from({ length: 20 }, (_, i) => (i % 2 ? interval(36, 4, 500, 500) : interval(4, 36, 500, 500)));
  const [quiet, loud] = [calm, bursty].map((rows) => sideOf(after(startCounter({ relative: 0 }), rows))) as [
    never,
    never,
  ];
  expect(quiet).toMatchObject({ dispersion: 1, warmingUp: false });
  expect((loud as { dispersion: number }).dispersion).toBeGreaterThan(20);
});

test('evidence before a restart is kept, and harm after long good history is seen far sooner than without', () => {
  const good = Array.from({ length: 180 }, () => interval(1, 9, 1000, 9000));
  const bad = interval(3, 9, 1000, 9000);
  const untilHarm = (start: CounterState): number => {
    let state = start;
    for (let i = 1; i < 1000; i++) {
      state = observeCounter(state, bad);
      if (sideOf(state).logHarm >= Math.log(100)) return i;
    }
    return Number.POSITIVE_INFINITY;
  };
  const restarted = untilHarm(enterCounterStep(after(startCounter({ relative: 0.5 }), good)));
  const fresh = untilHarm(startCounter({ relative: 0.5 }));
  const oneRun = after(
    startCounter({ relative: 0.5 }),
    good.map((row) => ({ ...row, duration: 0 as DurationMs })),
  );
  expect(restarted).toBeLessThan(1.5 * fresh);
  expect(untilHarm(oneRun)).toBeGreaterThan(2 * restarted);
});

test('half an hour of hold starts a further run by itself; a step without data in between does not', () => {
  const runs = (state: CounterState): number => state.ratio!.harm.runs.at(-1)!.order;
  const start = startCounter({ relative: 0.5 });
  const halfHour = after(
    start,
    Array.from({ length: 180 }, () => interval(1, 9, 1000, 9000)),
  );
  expect(runs(halfHour)).toBe(1);
  expect(runs(observeCounter(halfHour, interval(1, 9, 1000, 9000)))).toBe(2);
  expect(runs(enterCounterStep(start))).toBe(1);
  expect(runs(enterCounterStep(enterCounterStep(halfHour)))).toBe(2);
});

test('a step starts non-inferiority anew and keeps what is known of the dispersion', () => {
  const state = after(
    startCounter({ relative: 0.5 }),
    Array.from({ length: 60 }, (_, i) => interval(1 + (i % 2), 18, 1000, 9000)),
  );
  expect(counterEvidence(state).logSafe).toBeGreaterThan(Math.log(20));
  const next = counterEvidence(enterCounterStep(state));
  expect(next.logSafe).toBe(0);
  expect(next.sides[0]).toMatchObject({ warmingUp: false, dispersion: sideOf(state).dispersion });
});

test('a fault that begins with a step is not taken for dispersion of the time before', () => {
  const healthy = new Array<CounterInterval>(30).fill(interval(10, 90, 1000, 9000));
  const faulty = new Array<CounterInterval>(30).fill(interval(40, 90, 1000, 9000));
  const before = after(startCounter({ relative: 0 }), healthy);
  expectAbsolute(sideOf(after(enterCounterStep(before), faulty)).dispersion, 1, 1e-9);
  expect(sideOf(after(before, faulty)).dispersion).toBeGreaterThan(3);
});

test('with both margins the e-value for safety is the mean of the two', () => {
  const rows = Array.from({ length: 40 }, (_, i) => interval(i % 2, 9, 1000, 9000));
  const safe = (margin: { relative?: number; maxPer10k?: number }): number =>
    Math.exp(counterEvidence(after(startCounter(margin), rows)).logSafe);
  expectRelative(
    safe({ relative: 0.5, maxPer10k: 20 }),
    (safe({ relative: 0.5 }) + safe({ maxPer10k: 20 })) / 2,
    1e-12,
  );
});

test('no safety is claimed while the dispersion is unknown', () => {
  const nine = after(
    startCounter({ relative: 0.5 }),
    Array.from({ length: 9 }, () => interval(50, 900, 1000, 9000)),
  );
  expect(sideOf(nine)).toMatchObject({ warmingUp: true, logSafe: 0 });
  expect(sideOf(observeCounter(nine, interval(50, 900, 1000, 9000))).logSafe).toBeGreaterThan(10);
});

test('in the warm-up one burst counts for a factor of 30 at most, and three such intervals are severe', () => {
  const burst = interval(400, 9, 1000, 9000);
  const severe = (count: number): number =>
    sideOf(after(startCounter({ relative: 0 }), new Array(count).fill(burst))).logSevereHarm;
  expect(severe(1)).toBeLessThanOrEqual(Math.log(30));
  expect(severe(2)).toBeLessThan(Math.log(10_000));
  expect(severe(3)).toBeGreaterThan(Math.log(10_000));
  expect(sideOf(after(startCounter({ relative: 0 }), [burst])).logHarm).toBeGreaterThan(100);
});

test('a service without errors becomes safe by the absolute form, and never by the relative one', () => {
  const silent = Array.from({ length: 120 }, () => interval(0, 0, 1000, 9000));
  expect(counterEvidence(after(startCounter({ relative: 0.5 }), silent)).logSafe).toBe(0);
  expect(counterEvidence(after(startCounter({ maxPer10k: 1 }), silent)).logSafe).toBeGreaterThan(Math.log(20));
  expect(counterEvidence(after(startCounter({ relative: 0.5, maxPer10k: 1 }), silent)).logSafe).toBeGreaterThan(
    Math.log(20),
  );
});

test('with both margins, a canary that is worse than stable but within the absolute one is not harmed on both sides', () => {
  const few = Array.from({ length: 400 }, (_, i) => interval(i % 20 === 0 ? 1 : 0, 0, 1000, 9000));
  const { sides } = counterEvidence(after(startCounter({ relative: 0.5, maxPer10k: 2 }), few));
  const [ratio, rate] = sides;
  expect(ratio!.logHarm).toBeGreaterThan(Math.log(100));
  expect(rate!.logHarm).toBeLessThan(0);
});

test('1e12 requests and errors give finite evidence', () => {
  const state = after(
    startCounter({ relative: 0.5, maxPer10k: 1 }),
    Array.from({ length: 12 }, () => interval(1e11, 1e11, 1e12, 1e12)),
  );
  const { sides, logSafe } = counterEvidence(state);
  for (const value of [logSafe, ...sides.flatMap((side) => [side.logHarm, side.logSevereHarm, side.dispersion])]) {
    expect(Number.isFinite(value)).toBe(true);
  }
});

test('all errors in one arm give a fit at its end and finite evidence', () => {
  for (const row of [interval(5, 0, 100, 900), interval(0, 5, 100, 900)]) {
    const state = after(
      startCounter({ relative: 0.5 }),
      Array.from({ length: 20 }, () => row),
    );
    expect(Number.isFinite(sideOf(state).logHarm)).toBe(true);
    expectAbsolute(Math.abs(Math.log(counterEvidence(state).rateRatio!)), Math.log(64), 1e-9);
  }
});

test('bad margins and bad intervals are refused', () => {
  expect(() => startCounter({})).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => startCounter({ relative: -0.1 })).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => startCounter({ relative: Number.NaN })).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => startCounter({ maxPer10k: 0 })).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => startCounter({ maxPer10k: 10_000 })).toThrow('SLUICE_STATS_ARGUMENT');
  const state = startCounter({ relative: 0.5 });
  for (const bad of [
    interval(Number.NaN, 1, 1, 1),
    interval(1, -1, 1, 1),
    interval(1, 1, Number.POSITIVE_INFINITY, 1),
    interval(1, 1, 0, 1),
    interval(1, 1, 1, 0),
  ]) {
    expect(() => observeCounter(state, bad)).toThrow('SLUICE_STATS_ARGUMENT');
  }
});
