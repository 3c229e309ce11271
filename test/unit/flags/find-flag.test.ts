import { expect, test } from 'vitest';
import { SluiceError } from '../../../src/base/errors.ts';
import { type FlagReader, findFlag, flagPage } from '../../../src/flags/find-flag.ts';
import type { FlagObject } from '../../../src/flags/flag-object.ts';
import { flagObject } from '../../support/flag-objects.ts';
import type { Manifest } from '../../support/manifests.ts';

const accepted = { status: { conditions: [condition('True', 'Compiled')] } };
const taken = { status: { conditions: [condition('False', 'KeyTaken')] } };

function condition(status: string, reason: string) {
  return { type: 'Accepted', status, reason, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
}

const flag = (name: string, spec: Manifest, rest: Manifest = {}) => flagObject(name, spec, rest) as FlagObject;
const signal = AbortSignal.timeout(60_000);

/** A client over these flags, whose pages have at most `maxItems`; counts its calls. */
function clientOver(flags: readonly FlagObject[], maxItems = 1_000) {
  const calls = { get: 0, pages: [] as number[] };
  const client = {
    get: async (_resource: unknown, { name }: { name: string }) => {
      calls.get++;
      return flags.find(({ metadata }) => metadata.name === name);
    },
    raw: async ({ query }: { query: { limit: number; continue?: string } }) => {
      calls.pages.push(query.limit);
      if (query.limit > maxItems) throw new SluiceError('SLUICE_KUBE_TOO_LARGE', 'too large');
      const start = Number(query.continue ?? 0);
      const end = start + query.limit;
      const items = flags.slice(start, end).map(({ apiVersion: _, kind: __, ...item }) => item);
      return { metadata: { continue: end < flags.length ? String(end) : '' }, items };
    },
  };
  return { client: client as unknown as FlagReader, calls };
}

test('a flag that is accepted under its name is found without looking at any other', async () => {
  const { client, calls } = clientOver([flag('checkout', {}, accepted)]);
  expect((await findFlag(client, 'shop', 'checkout', signal))?.metadata.name).toBe('checkout');
  expect(calls).toEqual({ get: 1, pages: [] });
});

test('a key that is no name is looked for in all pages, and never becomes part of a path', async () => {
  const many = Array.from({ length: 250 }, (_, i) => flag(`f${i}`, {}));
  const { client, calls } = clientOver([...many, flag('nested', { key: 'team/one page' })]);
  expect((await findFlag(client, 'shop', 'team/one page', signal))?.metadata.name).toBe('nested');
  expect(calls.get).toBe(0);
  expect(calls.pages).toHaveLength(3);
  for (const key of ['..', '.', 'a/../b', 'Ä', '-a', 'a-'])
    expect(await findFlag(client, 'shop', key, signal)).toBeUndefined();
  expect(calls.get).toBe(0);
});

test('of two flags with one key the older is meant, also where the younger has the key for its name', async () => {
  const older = flag('first', { key: 'checkout' }, { metadata: { creationTimestamp: '2025-01-01T00:00:00Z' } });
  for (const state of [taken, {}]) {
    const younger = flag('checkout', {}, state);
    const { client } = clientOver([younger, older]);
    expect((await findFlag(client, 'shop', 'checkout', signal))?.metadata.name).toBe('first');
  }
});

test('a name is good where no flag has it for a key', async () => {
  const { client } = clientOver([flag('second', { key: 'checkout' })]);
  expect((await findFlag(client, 'shop', 'second', signal))?.metadata.name).toBe('second');
  expect(await findFlag(client, 'shop', 'third', signal)).toBeUndefined();
});

test('pages become shorter where flags are too large for one answer, and a single one that is too large is an error', async () => {
  const flags = Array.from({ length: 5 }, (_, i) => flag(`f${i}`, {}));
  const { client, calls } = clientOver(flags, 3);
  const page = await flagPage(client, { namespace: 'shop', limit: 5 }, signal);
  expect([page.items.length, page.next]).toEqual([3, '3']);
  expect(page.items[0]).toMatchObject({ apiVersion: 'sluice.dev/v1alpha1', kind: 'FeatureFlag' });
  expect(calls.pages).toEqual([5, 3]);
  const small = clientOver(flags, 0);
  await expect(flagPage(small.client, { limit: 3 }, signal)).rejects.toMatchObject({ code: 'SLUICE_KUBE_TOO_LARGE' });
  expect(small.calls.pages).toEqual([3, 2, 1]);
});
