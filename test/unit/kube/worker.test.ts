import { beforeEach, expect, test } from 'vitest';
import { SluiceError } from '../../../src/base/errors.ts';
import { silent } from '../../../src/base/logger.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { DurationMs, EpochMs } from '../../../src/base/units.ts';
import { KubeError } from '../../../src/kube/kube-error.ts';
import { type PassResult, type Reconcile, Worker } from '../../../src/kube/worker.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** More turns of the event loop than a test has passes. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) await turn();
}

/** A worker whose passes are noted as they begin, with what became of them. */
function makeWorker(reconcile: Reconcile, options: { concurrency?: number; deadlineMs?: number } = {}) {
  const begun: string[] = [];
  const results: PassResult[] = [];
  const worker = new Worker(
    { clock, random: seededRandom(3), logger: silent },
    {
      name: 'test',
      reconcile: (key, signal) => {
        begun.push(key);
        return reconcile(key, signal);
      },
      onPass: (result) => results.push(result),
      ...options,
    },
  );
  worker.start();
  return { worker, begun, results };
}

const untilAborted: Reconcile = (_key, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

test('passes run beside each other up to the limit, and an urgent one beyond it', async () => {
  const { worker, begun } = makeWorker(untilAborted, { concurrency: 2 });
  for (const key of ['a', 'b', 'c']) worker.add(key);
  await settle();
  expect(begun).toEqual(['a', 'b']);
  worker.add('d', { urgent: true });
  await settle();
  expect(begun).toEqual(['a', 'b', 'd']);
  expect(worker.backlog).toBe(1);
  expect(await worker.stop()).toBe(true);
});

test('passes that wait for nothing leave turns of the event loop to others', async () => {
  const order: string[] = [];
  const { worker } = makeWorker(async (key) => {
    order.push(key);
    return {};
  });
  for (const key of ['a', 'b', 'c']) worker.add(key);
  for (let turns = 0; turns < 3; turns++) {
    await turn();
    order.push('turn');
  }
  expect(order).toEqual(['a', 'turn', 'b', 'turn', 'c', 'turn']);
  await worker.stop();
});

test('an urgent pass takes no place away from ordinary ones', async () => {
  const { worker, begun } = makeWorker(untilAborted, { concurrency: 1 });
  worker.add('a', { urgent: true });
  await settle();
  worker.add('b');
  await settle();
  expect(begun).toEqual(['a', 'b']);
  await worker.stop();
});

test('an urgent add aborts the running pass of the key and runs it again at once, without backoff', async () => {
  const { worker, begun, results } = makeWorker((key, signal) =>
    begun.length === 1 ? untilAborted(key, signal) : Promise.resolve({}),
  );
  worker.add('a');
  await settle();
  worker.add('a', { urgent: true });
  await settle();
  expect(begun).toEqual(['a', 'a']);
  expect(results).toEqual(['superseded', 'done']);
});

test('a pass says when to look again', async () => {
  const { worker, begun } = makeWorker(async () => ({ at: (clock.now() + 1_000) as EpochMs }));
  worker.add('a');
  await settle();
  await clock.advance(999);
  expect(begun).toHaveLength(1);
  await clock.advance(1);
  expect(begun).toHaveLength(2);
});

test('a pass that crashes is tried again later; one that only a change can help is not', async () => {
  const crash = makeWorker(async () => {
    throw new TypeError('a bug');
  });
  const refuse = makeWorker(async () => {
    throw new SluiceError('SLUICE_KUBE_TOO_LARGE', 'not so');
  });
  crash.worker.add('a');
  refuse.worker.add('a');
  await settle();
  await clock.advance(10_000);
  expect(crash.begun.length).toBeGreaterThan(3);
  expect(refuse.begun).toHaveLength(1);
  expect(refuse.results).toEqual(['refused']);
});

test('a pass that the API server refused is tried again: nobody tells when a policy changes its mind', async () => {
  const { worker, begun } = makeWorker(async () => {
    throw new KubeError('SLUICE_KUBE_REFUSED', 'denied by policy', { call: 'PATCH /x', httpStatus: 422 });
  });
  worker.add('a');
  await settle();
  await clock.advance(10_000);
  expect(begun.length).toBeGreaterThan(3);
});

test('a pass that was told to wait by the API server waits', async () => {
  const { worker, begun } = makeWorker(async () => {
    const facts = { call: 'GET /x', httpStatus: 429, retryAfterMs: 7_000 as DurationMs };
    throw new KubeError('SLUICE_KUBE_UNAVAILABLE', 'busy', facts);
  });
  worker.add('a');
  await settle();
  await clock.advance(6_999);
  expect(begun).toHaveLength(1);
  await clock.advance(1);
  expect(begun).toHaveLength(2);
});

test('a pass beyond its deadline is aborted and counts as failed', async () => {
  const { worker, results } = makeWorker(untilAborted, { deadlineMs: 500 });
  worker.add('a');
  await settle();
  await clock.advance(500);
  expect(results).toEqual(['failed']);
});

test('stopping ends in bounded time even when a pass does not heed its signal', async () => {
  const { worker } = makeWorker(() => new Promise(() => {}));
  worker.add('a');
  await settle();
  const stopped = worker.stop(1_000);
  await clock.advance(1_000);
  expect(await stopped).toBe(false);
});
