import { expect, test } from 'vitest';
import type { DurationMs, EpochMs } from '../../../src/base/units.ts';
import type { Answer, MetricRequest } from '../../../src/providers/provider.ts';
import { SharedQueries } from '../../../src/providers/shared-queries.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeMetricProvider } from '../../support/fake-metric-provider.ts';

const never = new AbortController().signal;
const value = (n: number): Answer => ({
  kind: 'Value',
  value: n,
  at: 1000 as EpochMs,
  remarks: { warnings: [], infos: [] },
});
const request = (text: string, more: Partial<MetricRequest> = {}): MetricRequest => ({
  text,
  at: 1000 as EpochMs,
  timeoutMs: 5000 as DurationMs,
  owner: 'shop/catalog',
  ...more,
});

function setUp(maxConcurrent = 10) {
  const provider = new FakeMetricProvider();
  const clock = new FakeClock();
  return { provider, clock, shared: new SharedQueries({ provider, clock, maxConcurrent }) };
}

test('equal questions are asked once, and all askers get the answer', async () => {
  const { provider, shared } = setUp();
  const answers = ['a/a', 'b/b', 'c/c'].map((owner) => shared.query(request('up', { owner }), never));
  provider.asked[0]?.answer(value(7));
  expect(await Promise.all(answers)).toEqual([value(7), value(7), value(7)]);
  expect(provider.texts).toEqual(['up']);
});

test('another text, instant or timeout is another question', async () => {
  const { provider, shared } = setUp();
  void shared.query(request('up'), never);
  void shared.query(request('down'), never);
  void shared.query(request('up', { at: 2000 as EpochMs }), never);
  void shared.query(request('up', { timeoutMs: 6000 as DurationMs }), never);
  expect(provider.asked.length).toBe(4);
});

test('who asks after the answer still gets it, until the deadline has passed', async () => {
  const { provider, shared, clock } = setUp();
  const first = shared.query(request('up'), never);
  provider.asked[0]?.answer(value(7));
  await first;
  await clock.advance(4999);
  expect(await shared.query(request('up'), never)).toEqual(value(7));
  await clock.advance(1);
  void shared.query(request('up'), never);
  expect(provider.asked.length).toBe(2);
});

test('an asker that leaves takes nothing from the others', async () => {
  const { provider, shared } = setUp();
  const leaving = new AbortController();
  const left = shared.query(request('up'), leaving.signal);
  const stays = shared.query(request('up'), never);
  leaving.abort(new Error('the rollout is gone'));
  await expect(left).rejects.toThrow('the rollout is gone');
  expect(provider.asked[0]?.withdrawn).toBe(false);
  provider.asked[0]?.answer(value(1));
  expect(await stays).toEqual(value(1));
});

test('the question is withdrawn when the last asker leaves, and its place is free again', async () => {
  const { provider, shared } = setUp(1);
  const leaving = [new AbortController(), new AbortController()];
  const left = leaving.map(({ signal }) => shared.query(request('up'), signal));
  void shared.query(request('next'), never);
  for (const one of leaving) one.abort(new Error('gone'));
  await Promise.all(left.map((one) => expect(one).rejects.toThrow('gone')));
  expect(provider.asked[0]?.withdrawn).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(provider.texts).toEqual(['up', 'next']);
});

test('an asker that has already left asks nothing', async () => {
  const { provider, shared } = setUp();
  await expect(shared.query(request('up'), AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  expect(provider.asked).toEqual([]);
});

test('no more than the limit are under way, and owners take turns', async () => {
  const { provider, shared } = setUp(2);
  const ask = (owner: string, text: string) => shared.query(request(text, { owner }), never);
  void ['a1', 'a2', 'a3', 'a4'].map((text) => ask('a/a', text));
  void ['b1', 'b2'].map((text) => ask('b/b', text));
  expect(provider.texts).toEqual(['a1', 'a2']);
  for (let i = 0; i < 4; i++) {
    provider.asked[i]?.answer(value(i));
    await new Promise((resolve) => setImmediate(resolve));
    expect(provider.asked.length).toBe(Math.min(6, i + 3));
  }
  expect(provider.texts).toEqual(['a1', 'a2', 'a3', 'b1', 'a4', 'b2']);
});

test('waiting counts against the deadline: what is asked late has less time', async () => {
  const { provider, shared, clock } = setUp(1);
  void shared.query(request('slow'), never);
  void shared.query(request('next'), never);
  await clock.advance(3000);
  provider.asked[0]?.answer(value(1));
  await new Promise((resolve) => setImmediate(resolve));
  expect(provider.asked[1]?.request.timeoutMs).toBe(2000);
});

test('a question that finds no place before its deadline was not answered because we are busy', async () => {
  const { provider, shared, clock } = setUp(1);
  void shared.query(request('slow', { timeoutMs: 60_000 as DurationMs }), never);
  const waiting = shared.query(request('next'), never);
  await clock.advance(5000);
  expect(await waiting).toMatchObject({ kind: 'ProviderDown', cause: 'Busy' });
  provider.asked[0]?.answer(value(1));
  await new Promise((resolve) => setImmediate(resolve));
  expect(provider.texts).toEqual(['slow']);
});

test('a waiting question that nobody wants any more is never asked', async () => {
  const { provider, shared } = setUp(1);
  void shared.query(request('slow'), never);
  const leaving = new AbortController();
  const left = shared.query(request('unwanted'), leaving.signal);
  void shared.query(request('next'), never);
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  provider.asked[0]?.answer(value(1));
  await new Promise((resolve) => setImmediate(resolve));
  expect(provider.texts).toEqual(['slow', 'next']);
});

test('a slow provider delays nobody at another provider', async () => {
  const clock = new FakeClock();
  const [slow, quick] = [new FakeMetricProvider(), new FakeMetricProvider()];
  const atSlow = new SharedQueries({ provider: slow, clock, maxConcurrent: 1 });
  const atQuick = new SharedQueries({ provider: quick, clock, maxConcurrent: 1 });
  for (let i = 0; i < 100; i++) void atSlow.query(request(`q${i}`), never);
  const answer = atQuick.query(request('up'), never);
  quick.asked[0]?.answer(value(3));
  expect(await answer).toEqual(value(3));
});

test('closing answers all who wait, and all who come later', async () => {
  const { provider, shared } = setUp(1);
  const underWay = shared.query(request('up'), never);
  const waiting = shared.query(request('next'), never);
  shared.close();
  for (const one of [underWay, waiting, shared.query(request('late'), never)]) {
    expect(await one).toMatchObject({ kind: 'ProviderDown', cause: 'Closed' });
  }
  expect(provider.texts).toEqual(['up']);
  expect(provider.asked[0]?.withdrawn).toBe(true);
});
