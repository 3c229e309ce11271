import { expect, test } from 'vitest';
import { sleep } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { type Random, seededRandom } from '../../../src/base/random.ts';
import type { EpochMs } from '../../../src/base/units.ts';
import type { Lease } from '../../../src/kube/builtins.ts';
import type { CallOptions, KubeClient } from '../../../src/kube/client.ts';
import { KubeError } from '../../../src/kube/kube-error.ts';
import { LeaderElection } from '../../../src/kube/leader-election.ts';
import { FakeClock } from '../../support/fake-clock.ts';

type LeaseClient = Pick<KubeClient, 'get' | 'create' | 'replace'>;
type Trouble = 'none' | 'lost request' | 'lost answer' | 'slow';

const refusal = (httpStatus: number, reason: string) =>
  new KubeError('SLUICE_KUBE_CONFLICT', reason, { call: 'PUT lease', httpStatus, status: { reason } });

/** One lease with resourceVersions, and clients that reach it as well as `trouble` allows at the moment. */
class LeaseServer {
  readonly #clock: FakeClock;
  lease: Lease | undefined;
  #version = 0;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  client(trouble: () => Trouble): LeaseClient {
    const call = async (act: () => Lease | undefined, { signal, deadlineMs = 10_000 }: CallOptions) => {
      const kind = trouble();
      if (kind === 'lost request') await sleep(this.#clock, deadlineMs, signal).then(() => fail());
      if (kind === 'slow') await sleep(this.#clock, Math.min(deadlineMs, 700), signal);
      const answer = act();
      if (kind === 'lost answer') await sleep(this.#clock, deadlineMs, signal).then(() => fail());
      signal.throwIfAborted();
      return answer as never;
    };
    return {
      get: (_resource, _ref, options) => call(() => this.lease, options),
      create: (_resource, lease, options) => call(() => this.#store(lease as Lease, undefined), options),
      replace: (_resource, lease, options) =>
        call(() => this.#store(lease as Lease, (lease as Lease).metadata.resourceVersion), options),
    };
  }

  #store(lease: Lease, over: string | undefined): Lease {
    if (this.lease?.metadata.resourceVersion !== over) throw refusal(409, over ? 'Conflict' : 'AlreadyExists');
    this.#version += 1;
    this.lease = { ...lease, metadata: { ...lease.metadata, resourceVersion: `${this.#version}` } };
    return this.lease;
  }
}

function fail(): never {
  throw new KubeError('SLUICE_KUBE_DEADLINE', 'too slow', { call: 'PUT lease', httpStatus: 0 });
}

/** Lets what is under way come to its next timer first. */
async function advance(clock: FakeClock, ms: number): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(ms);
}

interface Candidate {
  readonly id: string;
  readonly election: LeaderElection;
  readonly done: Promise<void>;
  readonly working: () => boolean;
  stop(): void;
}

function stand(clock: FakeClock, client: LeaseClient, id: string, random: Random = seededRandom(1)): Candidate {
  const end = new AbortController();
  let working = false;
  const ports = {
    client,
    // The wall clock of each machine is wrong in its own way; its monotonic clock began at its own zero.
    clock: {
      now: () => (clock.now() + id.charCodeAt(0) * 1e7) as EpochMs,
      after: (ms: number, run: () => void) => clock.after(ms, run),
    },
    monotonicMs: () => clock.now() - id.charCodeAt(0) * 1e6,
    random,
    logger: silent,
  };
  const election = new LeaderElection(ports, { namespace: 'ns', name: 'lease', identity: id });
  const lead = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      working = true;
      signal.addEventListener('abort', () => {
        working = false;
        resolve();
      });
      if (signal.aborted) resolve();
    });
  const done = election.run(lead, end.signal);
  return { id, election, done, working: () => working, stop: () => end.abort(new Error('stop')) };
}

test('the first candidate leads, the second stands by', async () => {
  const clock = new FakeClock();
  const server = new LeaseServer(clock);
  const a = stand(
    clock,
    server.client(() => 'none'),
    'a',
  );
  await advance(clock, 100);
  const b = stand(
    clock,
    server.client(() => 'none'),
    'b',
  );
  await advance(clock, 60_000);
  expect([a.working(), b.working()]).toEqual([true, false]);
  expect([a.election.leading, b.election.leading]).toEqual([true, false]);
  expect(server.lease?.spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0, leaseDurationSeconds: 6 });
});

test('a leader that stops gives the lease back, and the standby leads within its next look', async () => {
  const clock = new FakeClock();
  const server = new LeaseServer(clock);
  const a = stand(
    clock,
    server.client(() => 'none'),
    'a',
  );
  await advance(clock, 100);
  const b = stand(
    clock,
    server.client(() => 'none'),
    'b',
  );
  await advance(clock, 10_000);
  a.stop();
  await a.done;
  expect(server.lease?.spec?.holderIdentity).toBeUndefined();
  await advance(clock, 1_100);
  expect(b.working()).toBe(true);
  expect(server.lease?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
});

test('a leader that is cut off stops after 4 s, and the standby leads 6 to 8 s after the last renewal', async () => {
  const clock = new FakeClock();
  const server = new LeaseServer(clock);
  let trouble: Trouble = 'none';
  const a = stand(
    clock,
    server.client(() => trouble),
    'a',
  );
  await advance(clock, 100);
  const b = stand(
    clock,
    server.client(() => 'none'),
    'b',
  );
  await advance(clock, 10_000);
  trouble = 'lost request';
  await advance(clock, 4_000);
  expect([a.working(), b.working()]).toEqual([false, false]);
  await advance(clock, 3_900);
  expect(b.working()).toBe(true);
});

test('work that does not stop when leadership ends makes the run fail, and the lease is not given back', async () => {
  const clock = new FakeClock();
  const server = new LeaseServer(clock);
  const ports = { client: server.client(() => 'none'), clock, monotonicMs: () => clock.now(), random: () => 0.5 };
  const election = new LeaderElection({ ...ports, logger: silent }, { namespace: 'ns', name: 'lease', identity: 'a' });
  const end = new AbortController();
  const run = election.run(() => new Promise(() => {}), end.signal).catch((error) => error);
  await advance(clock, 100);
  end.abort(new Error('stop'));
  await advance(clock, 2_000);
  expect(await run).toMatchObject({ code: 'SLUICE_INTERNAL' });
  expect(server.lease?.spec?.holderIdentity).toBe('a');
  expect(election.leading).toBe(false);
});

test('a candidate and a leader know for how long the API server has not answered', async () => {
  const clock = new FakeClock();
  const server = new LeaseServer(clock);
  let trouble: Trouble = 'none';
  const client = server.client(() => trouble);
  const ports = { client, clock, monotonicMs: () => clock.now(), random: () => 0.5, logger: silent };
  const of = (identity: string) => new LeaderElection(ports, { namespace: 'ns', name: 'lease', identity });
  const [a, b] = [of('a'), of('b')];
  expect(a.silentForMs).toBe(Number.POSITIVE_INFINITY);
  const end = new AbortController();
  const lead = (signal: AbortSignal) =>
    new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  const runs = [a.run(lead, end.signal), b.run(lead, end.signal)];
  await advance(clock, 30_000);
  for (const one of [a, b]) expect(one.silentForMs).toBeLessThanOrEqual(1_100);
  trouble = 'lost request';
  await advance(clock, 20_000);
  for (const one of [a, b]) expect(one.silentForMs).toBeGreaterThan(18_000);
  end.abort();
  await advance(clock, 10_000);
  await Promise.all(runs);
});

test('what the work throws ends the run, and the lease is given back', async () => {
  const clock = new FakeClock();
  const server = new LeaseServer(clock);
  const ports = { client: server.client(() => 'none'), clock, monotonicMs: () => clock.now(), random: () => 0.5 };
  const election = new LeaderElection({ ...ports, logger: silent }, { namespace: 'ns', name: 'lease', identity: 'a' });
  const lead = async () => {
    throw new Error('cannot work');
  };
  await expect(election.run(lead, new AbortController().signal)).rejects.toThrow('cannot work');
  expect(server.lease?.spec?.holderIdentity).toBeUndefined();
});

test('whatever is lost or slow, never do two work at a time, and afterwards one does (30 seeds)', async () => {
  let changes = 0;
  for (let seed = 0; seed < 30; seed++) changes += (await simulate(seed)) - 1;
  expect(changes).toBeGreaterThan(30); // the troubles were such that leadership moved
});

/** Four minutes of three candidates; answers how many of them led. */
async function simulate(seed: number): Promise<number> {
  const clock = new FakeClock();
  const server = new LeaseServer(clock);
  const random = seededRandom(seed);
  const troubles = new Map<string, Trouble>();
  const ids = ['a', 'b', 'c'];
  const candidates = ids.map((id, i) =>
    stand(
      clock,
      server.client(() => troubles.get(id) ?? 'none'),
      id,
      seededRandom(seed * 7 + i),
    ),
  );
  const kinds: Trouble[] = ['none', 'none', 'lost request', 'lost answer', 'slow'];
  const held = new Set<string>();
  for (let i = 0; i < 1_200; i++) {
    if (random() < 0.03) troubles.set(ids[Math.floor(random() * 3)]!, kinds[Math.floor(random() * kinds.length)]!);
    await advance(clock, random() * 400);
    const working = candidates.filter((candidate) => candidate.working() || candidate.election.leading);
    expect(working.length, `seed ${seed}`).toBeLessThanOrEqual(1);
    for (const { id } of working) held.add(id);
  }
  troubles.clear();
  await advance(clock, 10_000);
  expect(
    candidates.filter(({ working }) => working()),
    `seed ${seed}`,
  ).toHaveLength(1);
  for (const candidate of candidates) candidate.stop();
  await advance(clock, 10_000);
  await Promise.all(candidates.map(({ done }) => done));
  expect(server.lease?.spec?.holderIdentity).toBeUndefined();
  return held.size;
}
