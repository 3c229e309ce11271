import { beforeEach, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import type { EpochMs } from '../../../src/base/units.ts';
import { Superseded, WorkQueue } from '../../../src/kube/work-queue.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let clock: FakeClock;
let queue: WorkQueue;
const inMs = (ms: number) => (clock.now() + ms) as EpochMs;

beforeEach(() => {
  clock = new FakeClock();
  queue = new WorkQueue({ clock, random: seededRandom(1), backoff: { firstMs: 100, maxMs: 1_000 } });
});

test('keys are taken in the order of adding, each once however often it was added', () => {
  for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
  expect([queue.take()?.key, queue.take()?.key, queue.take()?.key, queue.take()?.key]).toEqual([
    'a',
    'b',
    'c',
    undefined,
  ]);
});

test('a key that is added while it runs runs once more, and not at the same time', () => {
  queue.add('a');
  const pass = queue.take();
  queue.add('a');
  queue.add('a');
  expect(queue.take()).toBeUndefined();
  expect(pass?.signal.aborted).toBe(false);
  queue.finish('a', { done: {} });
  expect(queue.take()?.key).toBe('a');
  queue.finish('a', { done: {} });
  expect(queue.take()).toBeUndefined();
});

test('an urgent key goes before all others and aborts its own running pass only', () => {
  queue.add('a');
  queue.add('b');
  const a = queue.take();
  const b = queue.take();
  queue.add('c');
  queue.add('a', { urgent: true });
  expect(a?.signal.reason).toBeInstanceOf(Superseded);
  expect(b?.signal.aborted).toBe(false);
  queue.yieldTo('a');
  expect(queue.take()).toMatchObject({ key: 'a', urgent: true });
  expect(queue.take(true)).toBeUndefined();
  expect(queue.take()).toMatchObject({ key: 'c', urgent: false });
});

test('a key that already waits becomes urgent, and is not weakened by an ordinary add', () => {
  queue.add('a');
  queue.add('b');
  queue.add('b', { urgent: true });
  queue.add('b');
  expect(queue.take(true)?.key).toBe('b');
  expect(queue.take()?.key).toBe('a');
  expect(queue.take()).toBeUndefined();
});

test('of several moments the earliest counts, and adding for now forgets them', async () => {
  queue.add('a', { at: inMs(500) });
  queue.add('a', { at: inMs(200) });
  queue.add('a', { at: inMs(900) });
  await clock.advance(199);
  expect(queue.ready).toBe(0);
  await clock.advance(1);
  expect(queue.take()?.key).toBe('a');
  queue.finish('a', { done: { at: inMs(300) } });
  queue.add('a');
  expect(queue.take()?.key).toBe('a');
  queue.finish('a', { done: {} });
  await clock.advance(10_000);
  expect(queue.ready).toBe(0);
});

test('failures slow down only their own key, more each time, and success forgets them', async () => {
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) {
    if (i === 0) queue.add('a');
    expect(queue.take()?.key).toBe('a');
    queue.finish('a', { failed: {} });
    queue.add('b');
    expect(queue.take()?.key).toBe('b');
    queue.finish('b', { done: {} });
    const from = clock.now();
    while (queue.ready === 0) await clock.advance(1);
    waits.push(clock.now() - from);
  }
  waits.forEach((wait, i) => {
    const bound = Math.min(1_000, 100 * 2 ** i);
    expect(wait).toBeGreaterThanOrEqual(bound / 2);
    expect(wait).toBeLessThanOrEqual(bound + 1);
  });
  queue.take();
  queue.finish('a', { done: {} });
  queue.add('a');
  expect(queue.take()?.key).toBe('a');
  queue.finish('a', { failed: {} });
  await clock.advance(100);
  expect(queue.ready).toBe(1);
});

test('a wait that the server asked for is kept, unless something new comes', async () => {
  queue.add('a');
  queue.take();
  queue.finish('a', { failed: { notBeforeMs: 5_000 } });
  await clock.advance(4_999);
  expect(queue.ready).toBe(0);
  queue.add('a');
  expect(queue.ready).toBe(1);
});

test('a moment beyond the range of timers does not fire at once', async () => {
  queue.add('a', { at: inMs(2 ** 32) });
  await clock.advance(2 ** 31 - 2);
  expect(queue.ready).toBe(0);
});

test('closing aborts what runs and forgets what waits', async () => {
  queue.add('a');
  const pass = queue.take();
  queue.add('b');
  queue.add('c', { at: inMs(10) });
  queue.close(new Error('over'));
  queue.add('d');
  await clock.advance(100);
  expect(pass?.signal.reason).toEqual(new Error('over'));
  queue.finish('a', { failed: {} });
  await clock.advance(100_000);
  expect(queue.take()).toBeUndefined();
});
