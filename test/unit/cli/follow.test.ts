import { expect, test, vi } from 'vitest';
import { SluiceError } from '../../../src/base/errors.ts';
import { follow, followToEnd } from '../../../src/cli/follow.ts';
import { NOTICE_MS } from '../../../src/cli/outcome.ts';
import type { Connection } from '../../../src/cli/ports.ts';
import { coloursFor } from '../../../src/cli/text.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fullRollout, type Manifest } from '../../support/manifests.ts';
import { healthyStatus, holdingStatus, rolledBackStatus } from '../../support/rollout-status.ts';

type Watch = (signal: AbortSignal) => AsyncGenerator<Manifest>;

/** Tells nothing until the watch is left. */
const silence: Watch = async function* (signal) {
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
};

const broken: Watch = async function* () {
  yield* [];
  throw new SluiceError('SLUICE_KUBE_UNAVAILABLE', 'the connection broke');
};

/** A cluster with one Rollout: `statuses` are what one list after the other shows, `watches` what comes then. */
function cluster(statuses: Manifest[], watches: Watch[]): Connection {
  let status: Manifest = statuses[0];
  const rollout = () => ({ ...fullRollout(), metadata: { name: 'catalog', namespace: 'shop' }, status });
  const deployment = { metadata: { name: 'catalog', generation: 4, annotations: { 'sluice.dev/held-by': 'catalog' } } };
  const client = {
    get: async ({ kind }: { kind: string }) => (kind === 'Deployment' ? deployment : rollout()),
    list: async () => {
      status = statuses.shift() ?? status;
      return { items: [rollout()], resourceVersion: '1' };
    },
    watch: (_: unknown, { signal }: { signal: AbortSignal }) => (watches.shift() ?? silence)(signal),
  };
  return { client: client as unknown as KubeClient, namespace: 'shop', user: undefined };
}

function begin(connection: Connection, signal = AbortSignal.timeout(10_000)) {
  const clock = new FakeClock();
  const told: string[] = [];
  const tell = (line: string) => void told.push(line.split('  ')[1] ?? '');
  const warned: string[] = [];
  const warn = (line: string) => void warned.push(line);
  const end = followToEnd(connection, { name: 'catalog', clock, colours: coloursFor(false), tell, warn }, signal);
  end.catch(() => {});
  const isTold = (count: number) => vi.waitFor(() => expect(told).toHaveLength(count));
  return { clock, told, warned, end, isTold };
}

test('a Rollout that stays rolled back is believed once the operator must have noticed, without any change', async () => {
  const { clock, told, end, isTold } = begin(cluster([rolledBackStatus()], []));
  let ended = false;
  end.then(
    () => {
      ended = true;
    },
    () => {},
  );
  await isTold(1);
  await clock.advance(NOTICE_MS - 1);
  expect(ended).toBe(false);
  await clock.advance(1);
  expect(await end).toBe('RolledBack');
  expect(told).toEqual(['RolledBack']);
});

test('what happened while the watch was broken is found by reading anew', async () => {
  const promoted = { ...healthyStatus(), stable: { hash: '6d5f8c9b7c', since: '2026-03-01T12:00:00Z' } };
  const { clock, told, end, isTold } = begin(cluster([holdingStatus(), promoted], [broken]));
  await isTold(1);
  await vi.waitFor(async () => {
    await clock.advance(500); // until the pause before the next attempt is over
    expect(told).toHaveLength(2);
  });
  expect(await end).toBe('Promoted');
  expect(told).toEqual(['Progressing', 'Healthy']);
});

test('a missing right ends the wait at once, with its code', async () => {
  const denied: Watch = async function* () {
    yield* [];
    throw new SluiceError('SLUICE_KUBE_DENIED', 'may not watch');
  };
  const { end } = begin(cluster([holdingStatus()], [denied]));
  await expect(end).rejects.toThrow('SLUICE_KUBE_DENIED');
});

test('Ctrl-C ends the wait', async () => {
  const stop = new AbortController();
  const { end, isTold } = begin(cluster([holdingStatus()], []), stop.signal);
  await isTold(1);
  stop.abort(new Error('stopped'));
  await expect(end).rejects.toThrow('stopped');
});

const gone = new SluiceError('SLUICE_KUBE_UNAVAILABLE', 'no answer (connect ECONNREFUSED)');

test('an API server that goes away and comes back is told once each; a watch that broke alone is not', async () => {
  const connection = cluster([holdingStatus(), holdingStatus(), rolledBackStatus()], [broken, broken]);
  const { list } = connection.client;
  let lists = 0;
  Object.assign(connection.client, {
    list: (...args: Parameters<typeof list>) => ([3, 4].includes(++lists) ? Promise.reject(gone) : list(...args)),
  });
  const { clock, warned, end, told } = begin(connection);
  await vi.waitFor(async () => {
    await clock.advance(500);
    expect(lists).toBe(2);
  });
  expect(warned).toEqual([]);
  await vi.waitFor(async () => {
    await clock.advance(500);
    expect(told).toHaveLength(2);
  });
  expect(warned).toEqual([
    'no answer from the API server, trying on: SLUICE_KUBE_UNAVAILABLE: no answer (connect ECONNREFUSED)',
    'the API server answers again',
  ]);
  expect(await end).toBe('RolledBack');
});

test('watch fails at once where the Rollout cannot be read', async () => {
  const connection = cluster([holdingStatus()], []);
  Object.assign(connection.client, { get: () => Promise.reject(gone) });
  const said = () => {};
  const options = { name: 'catalog', clock: new FakeClock(), colours: coloursFor(false), tell: said, warn: said };
  await expect(follow(connection, options, AbortSignal.timeout(10_000))).rejects.toThrow('ECONNREFUSED');
});
