import { expect, test } from 'vitest';
import { silent } from '../../../src/base/logger.ts';
import type { KubeEvent } from '../../../src/kube/builtins.ts';
import { EventRecorder } from '../../../src/kube/events.ts';
import { KubeError } from '../../../src/kube/kube-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const about = { apiVersion: 'v1', kind: 'Thing', metadata: { namespace: 'ns', name: 'a', uid: 'u' } };
const notice = (note: string) => ({ about, type: 'Normal', reason: 'Done', action: 'Do', note }) as const;
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('when the API server hangs, recording neither waits nor grows without bound, and stopping is bounded', async () => {
  const clock = new FakeClock();
  let dropped = 0;
  const client = {
    create: (_resource: unknown, _object: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    patch: () => Promise.reject(new Error('unused')),
  };
  const options = { controller: 'example.com/c', instance: 'i', onDropped: () => void dropped++ };
  const recorder = new EventRecorder({ client, clock, logger: silent }, options);
  for (let i = 0; i < 2_000; i++) recorder.record(notice(`${i}`));
  expect(dropped).toBe(1_500);
  await settle();
  const stopped = recorder.stop(1_000);
  await clock.advance(1_000);
  await stopped;
  recorder.record(notice('late'));
  expect(dropped).toBe(1_502); // the one that hung, and the late one
});

test('what was not written, or is gone, is written with its next repetition instead of counted', async () => {
  const clock = new FakeClock();
  const gone = new KubeError('SLUICE_KUBE_NOT_FOUND', 'gone', { call: 'PATCH', httpStatus: 404 });
  let created = 0;
  const client = {
    create: async () => {
      created += 1;
      if (created === 1) throw new Error('the connection broke');
      return {} as never;
    },
    patch: () => Promise.reject(gone),
  };
  const recorder = new EventRecorder({ client, clock, logger: silent }, { controller: 'example.com/c', instance: 'i' });
  const repeated = async () => {
    await clock.advance(31_000);
    recorder.record(notice('same'));
    await settle();
    return created;
  };
  expect(await repeated()).toBe(1);
  expect(await repeated()).toBe(2);
  expect(await repeated()).toBe(2); // counted, on an event that is not there any more
  expect(await repeated()).toBe(3);
});

test('the same notice is a new event once six minutes have passed, and not before', async () => {
  const clock = new FakeClock();
  const created: KubeEvent[] = [];
  const client = {
    create: async (_resource: unknown, object: unknown) => {
      created.push(object as KubeEvent);
      return object as never;
    },
    patch: async () => ({}) as never,
  };
  const recorder = new EventRecorder({ client, clock, logger: silent }, { controller: 'example.com/c', instance: 'i' });
  for (const waitMs of [0, 359_000, 359_000, 360_001]) {
    await clock.advance(waitMs);
    recorder.record(notice('same'));
    await settle();
  }
  expect(created).toHaveLength(2);
  expect(new Set(created.map(({ metadata }) => metadata.name)).size).toBe(2);
});
