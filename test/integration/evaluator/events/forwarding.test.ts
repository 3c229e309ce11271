import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { silent } from '../../../../src/base/logger.ts';
import { seededRandom } from '../../../../src/base/random.ts';
import { createBatchSender } from '../../../../src/evaluator/events/batch-sender.ts';
import { Forwarder } from '../../../../src/evaluator/events/forwarder.ts';
import type { EventBatch } from '../../../../src/wire/event-batch.ts';
import { exposureOf, metricOf, openQueue, scratchDirectory } from '../../../support/event-fixtures.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type CollectorAnswer, startCollector } from '../../../support/fake-collector.ts';

const ids = (from: number, count: number) => Array.from({ length: count }, (_, n) => `m${from + n}`);

/** A real queue and a real connection, under a clock that the test moves. */
async function forwardTo(answer?: (batch: EventBatch, count: number) => CollectorAnswer) {
  const clock = new FakeClock();
  const collector = await startCollector(answer);
  const { queue, counters } = await openQueue({ directory: scratchDirectory(), segmentBytes: 65_536 }, { clock });
  const sender = createBatchSender(collector.url, clock);
  const forwarder = new Forwarder({ queue, sender, clock, counters, random: seededRandom(1), logger: silent });
  forwarder.start();
  onTestFinished(() => forwarder.stop(0));
  const append = (names: readonly string[]) => queue.append(names.map((id) => metricOf(id)));
  return { clock, collector, queue, counters, forwarder, append };
}

/** Moves the clock in steps until it is so; network and disk take real time between. */
async function until(clock: FakeClock, stepMs: number, isSo: () => boolean): Promise<void> {
  await expect
    .poll(
      async () => {
        if (!isSo()) await clock.advance(stepMs);
        return isSo();
      },
      { timeout: 30_000, interval: 5 },
    )
    .toBe(true);
}

describe('the forwarder', () => {
  test('sends what was appended, gathered into batches of both kinds, and empties the queue', async () => {
    const { clock, collector, queue, counters, append } = await forwardTo();
    await append(ids(0, 3));
    await queue.append([exposureOf('00112233aabbccdd')]);
    await until(clock, 500, () => counters.forwardedCount === 4);
    await append(ids(3, 2));
    await until(clock, 500, () => counters.forwardedCount === 6);
    expect(collector.batches.map(({ exposures, metrics }) => [exposures.length, metrics.length])).toEqual([
      [1, 3],
      [0, 2],
    ]);
    await expect.poll(() => counters.queuedNow).toEqual({ bytes: 0, events: 0 });
    expect(counters).toMatchObject({ failures: 0, droppedBy: {} });
  });

  test('sends a full batch without gathering', async () => {
    const { collector, counters, append } = await forwardTo();
    await Promise.all([append(ids(0, 1_000)), append(ids(1_000, 1_000))]); // the clock stands
    await expect.poll(() => counters.forwardedCount).toBe(2_000);
    expect(collector.batches.map(({ metrics }) => metrics.length)).toEqual([1_000, 1_000]);
  });

  test.each<[string, CollectorAnswer]>([
    ['answers 503', { kind: 'Status', status: 503 }],
    ['answers 401', { kind: 'Status', status: 401 }],
    ['answers 404', { kind: 'Status', status: 404 }],
    ['is a port for TLS', { kind: 'Status', status: 400, body: 'Client sent an HTTP request to an HTTPS server.' }],
    ['answers 400 without a word', { kind: 'Status', status: 400 }],
    ['answers 422 in JSON of others', { kind: 'Status', status: 422, body: '{"code":"INVALID","message":"SLUICE_"}' }],
    ['answers 400 with a number as code', { kind: 'Status', status: 400, body: '{"code":400}' }],
    ['answers 400 with null', { kind: 'Status', status: 400, body: 'null' }],
    ['says too much', { kind: 'Status', status: 400, body: `{"code":"SLUICE_X"${' '.repeat(20_000)}}` }],
    ['redirects', { kind: 'Status', status: 307, headers: { location: '/elsewhere' } }],
    ['cuts the connection', { kind: 'Cut' }],
    ['keeps the batch and cuts the connection', { kind: 'KeptAndCut' }],
    ['hangs', { kind: 'Hangs' }],
  ])('sends again to what %s twice, and nothing is lost', async (_, failure) => {
    const { clock, collector, counters, append } = await forwardTo((_batch, count) =>
      count <= 2 ? failure : { kind: 'Kept' },
    );
    await append(ids(0, 5));
    await until(clock, 500, () => counters.forwardedCount === 5);
    expect([...collector.ids]).toEqual(ids(0, 5));
    expect(counters).toMatchObject({ failures: 2, droppedBy: {} });
    expect(collector.batches).toHaveLength(3);
  });

  test('waits as long as Retry-After says', async () => {
    const { clock, collector, counters, append } = await forwardTo((_, count) =>
      count === 1 ? { kind: 'Status', status: 429, headers: { 'retry-after': '120' } } : { kind: 'Kept' },
    );
    await append(ids(0, 1));
    await until(clock, 500, () => counters.failures === 1);
    const failedAt = clock.now();
    await until(clock, 1_000, () => counters.forwardedCount === 1);
    expect(clock.now() - failedAt).toBeGreaterThanOrEqual(119_000);
    expect(collector.batches).toHaveLength(2);
  });

  test('a proxy that takes short bodies only gets them, and what it does not take at all waits', async () => {
    const tooLong = { kind: 'Status', status: 413, body: '<html>' } as const;
    const { clock, collector, counters, append } = await forwardTo(({ metrics }, count) =>
      metrics.length > 2 || count < 8 ? tooLong : { kind: 'Kept' },
    );
    await append(ids(0, 5));
    await until(clock, 500, () => counters.forwardedCount === 5);
    expect([...collector.ids]).toEqual(ids(0, 5));
    expect(collector.batches.slice(0, 6).map(({ metrics }) => metrics.length)).toEqual([5, 3, 2, 1, 1, 1]);
    expect(counters).toMatchObject({ failures: 4, droppedBy: {} });
  });

  test.each([400, 413, 422])('drops the one event that a collector refuses with %i, and no other', async (status) => {
    const { clock, collector, counters, append } = await forwardTo(({ metrics }) =>
      metrics.some(({ id }) => id === 'm77') ? { kind: 'Refuses', status } : { kind: 'Kept' },
    );
    await append(ids(0, 200));
    await until(clock, 500, () => counters.forwardedCount === 199);
    expect(collector.ids.size).toBe(199);
    expect(collector.ids.has('m77')).toBe(false);
    expect(counters.droppedBy).toEqual({ Refused: 1 });
    await expect.poll(() => counters.queuedNow.events).toBe(0);
  });
});

describe('a forwarder that stops', () => {
  test('sends at once what is left', async () => {
    const { collector, counters, forwarder, append } = await forwardTo();
    await append(ids(0, 5)); // and the clock stands
    await forwarder.stop(3_000);
    expect([...collector.ids]).toEqual(ids(0, 5));
    expect(counters.queuedNow.events).toBe(0);
  });

  test('does not wait for a collector that fails, and keeps the events', async () => {
    const { queue, counters, forwarder, append } = await forwardTo(() => ({ kind: 'Status', status: 503 }));
    await append(ids(0, 5));
    await forwarder.stop(3_000);
    expect(counters).toMatchObject({ failures: 1, droppedBy: {} });
    expect(queue.waiting).toBe(5);
  });

  test('leaves a collector that hangs when its time is over, and keeps the events', async () => {
    const { clock, collector, queue, forwarder, append } = await forwardTo(() => ({ kind: 'Hangs' }));
    await append(ids(0, 5));
    const stopped = forwarder.stop(3_000);
    await expect.poll(() => collector.batches.length).toBe(1);
    await clock.advance(3_000);
    await stopped;
    expect(queue.waiting).toBe(5);
  });
});

const fault = fc.constantFrom<CollectorAnswer>(
  { kind: 'Kept' },
  { kind: 'KeptAndCut' },
  { kind: 'Cut' },
  { kind: 'Hangs' },
  { kind: 'Status', status: 503 },
  { kind: 'Status', status: 400, body: 'Bad Request' },
  { kind: 'Status', status: 413 },
  { kind: 'Status', status: 429, headers: { 'retry-after': '3' } },
);
const life = fc.record({
  appends: fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 4 }),
  faults: fc.array(fault, { maxLength: 4 }),
  steps: fc.integer({ min: 0, max: 30 }),
});

test('whatever a collector does, and whenever evaluators end: every event arrives, and none that was not appended', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (lives) => {
      const clock = new FakeClock();
      const directory = scratchDirectory();
      let faults: CollectorAnswer[] = [];
      const collector = await startCollector(() => faults.shift() ?? { kind: 'Kept' });
      const appended: string[] = [];
      const start = async () => {
        const { queue, counters } = await openQueue({ directory, segmentBytes: 20_000 }, { clock });
        const sender = createBatchSender(collector.url, clock);
        const forwarder = new Forwarder({ queue, sender, clock, counters, random: seededRandom(1), logger: silent });
        forwarder.start();
        return { queue, counters, forwarder };
      };
      for (const { appends, faults: some, steps } of lives) {
        faults = [...some];
        const { queue, forwarder } = await start();
        for (const count of appends) {
          const names = ids(appended.length, count);
          await queue.append(names.map((id) => metricOf(id)));
          appended.push(...names);
        }
        for (let n = 0; n < steps; n++) await clock.advance(500);
        const stopped = forwarder.stop(0); // in the middle of whatever it does; the queue is left as it is
        await clock.advance(0);
        await stopped;
      }
      faults = [];
      const { queue, counters, forwarder } = await start();
      await until(clock, 500, () => queue.waiting === 0);
      await forwarder.stop(0);
      expect([...collector.ids].sort()).toEqual(appended.sort());
      expect(counters.droppedBy).toEqual({});
    }),
    { numRuns: 25 },
  );
});
