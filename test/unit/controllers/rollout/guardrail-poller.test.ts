import { setImmediate as settled } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { guardrailSchema } from '../../../../src/api/guardrail.ts';
import { prometheusQuerySchema } from '../../../../src/api/metric.ts';
import type { Clock } from '../../../../src/base/clock.ts';
import { silent } from '../../../../src/base/logger.ts';
import type { DurationMs, EpochMs } from '../../../../src/base/units.ts';
import { GuardrailPoller } from '../../../../src/controllers/rollout/guardrail-poller.ts';
import type { ProviderPool } from '../../../../src/controllers/rollout/provider-pool.ts';
import type { JudgedGuardrail } from '../../../../src/core/guardrails/judge.ts';
import { nextDue, scheduleOf } from '../../../../src/providers/polling.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const INTERVAL_MS = 10_000;

const guardrail = guardrailSchema.parse({ name: 'errors', metric: 'errors', max: 1, interval: '10s' });
const rule = { guardrail, direction: 'LowerIsBetter', bounds: { max: 1 }, windowMs: 60_000 as DurationMs } as const;
const question = { rule, query: prometheusQuerySchema.parse({ query: 'up' }), namespace: 'shop' };
const subject = {
  namespace: 'shop',
  rollout: 'web',
  service: 'web',
  canaryHash: 'a',
  stableHash: 'b',
  comparable: true,
};

/** A poller that stops with the test, before a provider that answers so. */
function pollerOf(clock: Clock, query: (asked: { at: EpochMs }) => Promise<object>): GuardrailPoller {
  const pool = { keyOf: () => 'prometheus', providerOf: async () => ({ query }) } as unknown as ProviderPool;
  const poller = new GuardrailPoller({ clock, logger: silent, pool, sampled: () => {} });
  onTestFinished(() => poller.stop());
  return poller;
}

const valueAt = (value: number, at: EpochMs) => ({
  kind: 'Value',
  value,
  at,
  remarks: { warnings: [], infos: [] },
});

/** The instants that one guardrail asks for in a minute, with timers that fire so much before (or, below 0, after) they are due. */
async function instantsWith(earlyMs: number): Promise<number[]> {
  const time = new FakeClock();
  const clock: Clock = { now: () => time.now(), after: (ms, run) => time.after(Math.max(1, ms - earlyMs), run) };
  const instants: EpochMs[] = [];
  const poller = pollerOf(clock, async ({ at }) => {
    instants.push(at);
    return valueAt(0, at);
  });
  poller.watch('shop/web', { subject, questions: [question], states: [] });
  for (let second = 0; second < 60; second++) {
    await time.advance(1_000);
    await settled();
  }
  return instants;
}

test.each([
  ['on time', 0],
  ['a millisecond early, as those of Node may', 1],
  ['late', -3_000],
])('each instant is asked for once with timers that fire %s', async (_, earlyMs) => {
  const instants = await instantsWith(earlyMs);
  expect(instants.length).toBeGreaterThanOrEqual(5);
  expect(instants).toEqual(instants.map((_at, index) => (instants[0] ?? 0) + index * INTERVAL_MS));
});

test('a guardrail with an interval longer than its window is asked once a window', async () => {
  const clock = new FakeClock();
  let count = 0;
  const poller = pollerOf(clock, async ({ at }) => {
    count++;
    return valueAt(0, at);
  });
  const seldom = { ...rule, guardrail: { ...guardrail, interval: 300_000 as DurationMs } };
  poller.watch('shop/web', { subject, questions: [{ ...question, rule: seldom }], states: [] });
  await clock.advance(300_000);
  expect(count).toBe(5);
});

describe('what is known of a guardrail', () => {
  /** After three samples out of bounds, which spend the budget. */
  async function harmed() {
    const clock = new FakeClock();
    const poller = pollerOf(clock, async ({ at }) => valueAt(2, at));
    poller.watch('shop/web', { subject, questions: [question], states: [] });
    for (let second = 0; second < 40; second++) {
      await clock.advance(1_000);
      await settled();
    }
    const known = () => poller.statesOf('shop/web')?.[0]?.status;
    expect(known()?.verdict).toBe('Harm');
    return { poller, known };
  }

  test.each([{ canaryHash: 'c' }, { stableHash: 'c' }])(
    'is not held against another pair of revisions: %o',
    async (hashes) => {
      const { poller, known } = await harmed();
      poller.watch('shop/web', { subject: { ...subject, ...hashes }, questions: [question], states: [] });
      expect(known()).toBeUndefined();
    },
  );

  test('stays where only its bounds are edited', async () => {
    const { poller, known } = await harmed();
    const before = known();
    const edited = { ...question, rule: { ...rule, bounds: { max: 3 } } };
    poller.watch('shop/web', { subject, questions: [edited], states: [] });
    expect(known()).toEqual(before);
  });

  test('of stable is compared with while stable serves nobody, also after a silence', async () => {
    const clock = new FakeClock();
    let empty = false;
    const remarks = { warnings: [], infos: [] };
    const poller = pollerOf(clock, async ({ at }) => (empty ? { kind: 'Empty', remarks } : valueAt(7, at)));
    const bounds = { maxIncreaseOverStable: { relative: 0.1 } };
    const questions = [{ ...question, rule: { ...rule, bounds } }];
    const status = () => poller.statesOf('shop/web')?.[0]?.status;
    poller.watch('shop/web', { subject, questions, states: [] });
    await clock.advance(INTERVAL_MS);
    expect(status()).toMatchObject({ verdict: 'Safe', stableValue: 7 });
    empty = true;
    await clock.advance(INTERVAL_MS);
    poller.watch('shop/web', { subject: { ...subject, comparable: false }, questions, states: [] });
    await clock.advance(INTERVAL_MS);
    expect(status()).toMatchObject({ reason: 'EmptyResult' });
    empty = false;
    await clock.advance(INTERVAL_MS);
    expect(status()).toMatchObject({ verdict: 'Safe', stableValue: 7, message: expect.stringContaining('last value') });
  });

  test('comes from status where nobody watched before', () => {
    const poller = pollerOf(new FakeClock(), async ({ at }) => valueAt(0, at));
    const status = { name: 'errors', verdict: 'Harm' as const, reason: 'OutOfBounds', outOfBounds: [true, true] };
    poller.watch('shop/web', { subject, questions: [question], states: [{ rule, status }] });
    expect(poller.statesOf('shop/web')).toEqual([{ rule, status }]);
  });
});

describe('a spent budget', () => {
  /** A poller whose provider answers one value out of bounds, which is enough, and good ones after it; and its clock. */
  async function onceHarmed({ action = 'RollBack', states = [] as JudgedGuardrail[] } = {}) {
    const critical = { ...rule, guardrail: { ...guardrail, severity: 'Critical' as const, action: action as 'Hold' } };
    const asked = { ...question, rule: critical };
    const clock = new FakeClock();
    let value = states.length > 0 ? 0 : 2;
    const poller = pollerOf(clock, async ({ at }) => valueAt(value, at));
    const watch = (more: object = {}) =>
      poller.watch('shop/web', { subject: { ...subject, ...more }, questions: [asked], states });
    const state = () => poller.statesOf('shop/web')?.[0];
    const sample = async () => {
      const before = state()?.status?.at;
      while (state()?.status?.at === before) {
        await clock.advance(1_000);
        await settled();
      }
      return state()?.status;
    };
    watch();
    if (states.length === 0) await sample();
    value = 0;
    expect(state()?.status?.verdict).toBe('Harm');
    return { poller, watch, sample, seen: () => poller.statesOf('shop/web') ?? [] };
  }

  test('is not forgotten at the next good sample before a pass has acted on it', async () => {
    const { sample, seen } = await onceHarmed();
    const [before] = seen();
    for (let time = 0; time < 3; time++)
      expect(await sample()).toMatchObject({ verdict: 'Harm', outOfBounds: [false] });
    expect(seen()[0]?.status?.message).toBe(before?.status?.message);
  });

  test('is over at the next good sample after a pass has acted on it', async () => {
    const { poller, sample, seen } = await onceHarmed();
    const acted = seen();
    await sample();
    poller.actedOn('shop/web', acted);
    expect((await sample())?.verdict).toBe('Safe');
  });

  test('is not over after a pass that began before it', async () => {
    const { poller, sample } = await onceHarmed();
    poller.actedOn('shop/web', [{ rule }]);
    expect((await sample())?.verdict).toBe('Harm');
  });

  test.each(['Hold', 'Observe'])('is over at the next good sample where its action is %s', async (action) => {
    const { sample } = await onceHarmed({ action });
    expect((await sample())?.verdict).toBe('Safe');
  });

  test.each([{ canaryHash: 'c' }, { stableHash: 'c' }])('is not held against another pair: %o', async (hashes) => {
    const { watch, sample } = await onceHarmed();
    watch(hashes);
    expect((await sample())?.verdict).toBe('Safe');
  });

  test('that a former leader left in status is acted on, too', async () => {
    const status = { name: 'errors', verdict: 'Harm' as const, reason: 'OutOfBounds', outOfBounds: [true] };
    const { sample } = await onceHarmed({ states: [{ rule, status }] });
    expect((await sample())?.verdict).toBe('Harm');
  });
});

describe('a leader whose clock is behind that of the former one', () => {
  const AHEAD_MS = 60_000;

  test.each([
    ['takes its own answers, which are older than what status has', AHEAD_MS, 1],
    ['does not count the same instant twice', 0, 0],
  ])('%s', async (_, aheadMs, counted) => {
    const clock = new FakeClock();
    const poller = pollerOf(clock, async ({ at }) => valueAt(2, at));
    const first = nextDue(scheduleOf('prometheus', 'up', guardrail.interval), clock.now());
    const status = {
      ...{ name: 'errors', verdict: 'Safe' as const, reason: 'InBounds', outOfBounds: [] },
      at: (first + aheadMs) as EpochMs,
    };
    poller.watch('shop/web', { subject, questions: [question], states: [{ rule, status }] });
    await clock.advance(first - clock.now());
    await settled();
    expect(poller.statesOf('shop/web')?.[0]?.status?.outOfBounds).toHaveLength(counted);
  });
});
