import { setImmediate as settled } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { prometheusQuerySchema } from '../../../../src/api/metric.ts';
import type { Code } from '../../../../src/base/errors.ts';
import type { DurationMs, EpochMs } from '../../../../src/base/units.ts';
import { ProviderPool } from '../../../../src/controllers/rollout/provider-pool.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import { KubeError } from '../../../../src/kube/kube-error.ts';
import type { MetricProvider } from '../../../../src/providers/provider.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const address = 'https://127.0.0.1:1';
const withToken = prometheusQuerySchema.parse({ query: 'up', address, auth: { bearerToken: { name: 's', key: 'k' } } });
const withCa = prometheusQuerySchema.parse({ query: 'up', address, tls: { ca: { name: 's', key: 'k' } } });
const { signal } = new AbortController();

const secret = (value: string) => ({ data: { k: Buffer.from(value).toString('base64') } });
const failure = (code: Code, httpStatus: number) => new KubeError(code, 'failed', { call: 'GET secret', httpStatus });
const passing = failure('SLUICE_KUBE_DEADLINE', 0);

/** A pool before a Secret that is read as `read` says. */
function poolOf(read: (count: number) => unknown) {
  const clock = new FakeClock();
  let reads = 0;
  const get = async () => {
    reads++;
    return read(reads);
  };
  const pool = new ProviderPool({ client: { get } as unknown as KubeClient, clock, defaultAddress: address });
  onTestFinished(() => pool.close());
  return { pool, clock, reads: () => reads };
}

const ask = (provider: MetricProvider) =>
  provider.query({ text: 'up', at: 0 as EpochMs, timeoutMs: 1 as DurationMs, owner: 'shop/web' }, signal);

function refuse(error: Error): never {
  throw error;
}

describe('two that ask at the same time while the Secret is read', () => {
  test('are given the same provider, for one reading', async () => {
    const { pool, reads } = poolOf(() => settled(secret('token')));
    const both = await Promise.all([1, 2].map(() => pool.providerOf(withToken, 'shop', signal)));
    expect(both[0]).toBe(both[1]);
    expect(reads()).toBe(1);
  });

  test('do not stop one another', async () => {
    const { pool } = poolOf(() => settled(secret('token')));
    const first = new AbortController();
    const stopped = expect(pool.providerOf(withToken, 'shop', first.signal)).rejects.toThrow('enough');
    const second = pool.providerOf(withToken, 'shop', signal);
    first.abort(new Error('enough'));
    await stopped;
    expect(await second).toBe(await pool.providerOf(withToken, 'shop', signal));
  });
});

describe('a Secret that was read before', () => {
  test.each([
    ['the deadline passes', passing],
    ['the API server is busy', failure('SLUICE_KUBE_UNAVAILABLE', 429)],
  ])('serves on while %s, and is read again at the next question', async (_, error) => {
    const { pool, clock, reads } = poolOf((count) => (count === 2 ? refuse(error) : secret('token')));
    const known = await pool.providerOf(withToken, 'shop', signal);
    await clock.advance(60_000);
    expect(await pool.providerOf(withToken, 'shop', signal)).toBe(known);
    expect(await pool.providerOf(withToken, 'shop', signal)).toBe(known);
    expect(reads()).toBe(3);
  });

  test.each([
    ['is gone', () => undefined],
    ['may not be read any more', () => refuse(failure('SLUICE_KUBE_REFUSED', 403))],
  ])('serves no longer where it %s', async (_, after) => {
    const { pool, clock } = poolOf((count) => (count === 1 ? secret('token') : after()));
    await pool.providerOf(withToken, 'shop', signal);
    await clock.advance(60_000);
    const answer = await ask(await pool.providerOf(withToken, 'shop', signal));
    expect(answer).toMatchObject({ kind: 'ProviderDown', cause: 'Unauthorized' });
  });

  test('is taken up again after a credential that could not be used', async () => {
    const { pool, clock } = poolOf((count) => secret(count === 2 ? 'no token' : 'token'));
    const known = await pool.providerOf(withToken, 'shop', signal);
    await clock.advance(60_000);
    const answer = await ask(await pool.providerOf(withToken, 'shop', signal));
    expect(answer).toMatchObject({ kind: 'ProviderDown', cause: 'Unauthorized' });
    expect(await pool.providerOf(withToken, 'shop', signal)).toBe(known);
    expect(await ask(known)).not.toMatchObject({ cause: 'Closed' });
  });
});

test.each([
  ['no Secret', withToken, () => undefined, 'Unauthorized'],
  ['a Secret that cannot be read just now', withToken, () => refuse(passing), 'Unreachable'],
  ['an authority that is no certificate', withCa, () => secret('nonsense'), 'Tls'],
])('%s has its own reason', async (_, query, read, cause) => {
  const { pool } = poolOf(read);
  expect(await ask(await pool.providerOf(query, 'shop', signal))).toMatchObject({ kind: 'ProviderDown', cause });
});
