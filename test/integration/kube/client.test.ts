import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { type ConfigMap, configMaps } from '../../../src/kube/builtins.ts';
import { type ClientPorts, createClient } from '../../../src/kube/create-client.ts';
import { isAlreadyExists, isConflict, isNotFound, isPatchTestFailed } from '../../../src/kube/kube-error.ts';
import { resourceOf } from '../../../src/kube/resource.ts';
import { makeNamespace } from '../../support/api-server.ts';
import { makeClient, makeProxiedClient } from '../../support/kube-client.ts';

const map = (namespace: string, name: string, data: Record<string, string> = { x: '1' }): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name },
  data,
});

test('what is created is read back, changed by every kind of write, and deleted', async ({ signal }) => {
  const client = makeClient();
  const namespace = await makeNamespace('client');
  const ref = { namespace, name: 'a' };
  expect(await client.get(configMaps, ref, { signal })).toBeUndefined();
  const created = await client.create(configMaps, map(namespace, 'a'), { signal });
  expect(created.metadata.uid).toBeDefined();
  const merged = await client.patch(configMaps, ref, { merge: { data: { y: '2' } } }, { signal });
  expect(merged.data).toEqual({ x: '1', y: '2' });
  const json = [{ op: 'test', path: '/data/x', value: '1' } as const, { op: 'remove', path: '/data/x' } as const];
  expect((await client.patch(configMaps, ref, { json }, { signal })).data).toEqual({ y: '2' });
  const applied = await client.apply(configMaps, map(namespace, 'a', { z: '3' }), { signal, force: false });
  expect(applied.data).toEqual({ y: '2', z: '3' });
  const replaced = await client.replace(configMaps, { ...applied, data: {} }, { signal });
  expect(replaced.data).toBeUndefined();
  const rehearsed = await client.patch(configMaps, ref, { merge: { data: { q: '1' } } }, { signal, dryRun: true });
  expect(rehearsed.data).toEqual({ q: '1' });
  expect((await client.get(configMaps, ref, { signal }))?.data).toBeUndefined();
  expect(await client.delete(configMaps, ref, { signal })).toBe(true);
  expect(await client.delete(configMaps, ref, { signal })).toBe(false);
});

test('a write whose precondition does not hold is a conflict and changes nothing', async ({ signal }) => {
  const client = makeClient();
  const namespace = await makeNamespace('client');
  const ref = { namespace, name: 'a' };
  const first = await client.create(configMaps, map(namespace, 'a'), { signal });
  const second = await client.patch(configMaps, ref, { merge: { data: { x: '2' } } }, { signal });
  const stale = { resourceVersion: first.metadata.resourceVersion };
  const another = { uid: '00000000-0000-0000-0000-000000000000' };
  const merge = { merge: { data: { x: '3' } } };
  const json = { json: [{ op: 'replace', path: '/data/x', value: '3' } as const] };
  const reject = (call: Promise<unknown>) =>
    call.then(
      () => undefined,
      (error) => error,
    );
  for (const preconditions of [stale, another, { ...stale, ...another }]) {
    for (const patch of [merge, json]) {
      expect(isConflict(await reject(client.patch(configMaps, ref, patch, { signal, preconditions })))).toBe(true);
    }
    expect(isConflict(await reject(client.delete(configMaps, ref, { signal, preconditions })))).toBe(true);
  }
  expect(isConflict(await reject(client.replace(configMaps, first, { signal })))).toBe(true);
  const failing = { json: [{ op: 'test', path: '/data/x', value: '9' } as const, ...json.json] };
  expect(isPatchTestFailed(await reject(client.patch(configMaps, ref, failing, { signal })))).toBe(true);
  const again = await reject(client.create(configMaps, map(namespace, 'a'), { signal }));
  expect(isAlreadyExists(again)).toBe(true);
  expect(isConflict(again)).toBe(false);
  expect(await client.get(configMaps, ref, { signal })).toEqual(second);
  const { uid, resourceVersion } = second.metadata;
  const held = await client.patch(configMaps, ref, json, { signal, preconditions: { uid, resourceVersion } });
  expect(held.data).toEqual({ x: '3' });
});

test('an object that breaks a rule is refused with the field named, and a pass may try again', async ({ signal }) => {
  const client = makeClient();
  const namespace = await makeNamespace('client');
  await expect(client.create(configMaps, map(namespace, 'Not_A_Name'), { signal })).rejects.toMatchObject({
    code: 'SLUICE_KUBE_REFUSED',
    retry: 'backoff',
    reason: 'Invalid',
    causes: [{ field: 'metadata.name' }],
  });
});

/** Other files of this run install definitions of their own; nobody installs this one. */
const notInstalled = { group: 'nobody.example', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true };

test('a resource type that is not installed is an error and not a missing object', async ({ signal }) => {
  const error = await makeClient()
    .get(notInstalled, { namespace: 'default', name: 'a' }, { signal })
    .catch((reason) => reason);
  expect(isNotFound(error)).toBe(true);
});

test('a list goes on over its pages and every page shows the same version', async ({ signal }) => {
  const { client, proxy } = await makeProxiedClient();
  const namespace = await makeNamespace('pages');
  const names = Array.from({ length: 1_203 }, (_, i) => `m-${i}`);
  for (let i = 0; i < names.length; i += 50) {
    const batch = names.slice(i, i + 50);
    await Promise.all(batch.map((name) => client.create(configMaps, map(namespace, name), { signal })));
  }
  proxy.seen.length = 0;
  const { items } = await client.list(configMaps, { namespace }, { signal });
  expect(new Set(items.map(({ metadata }) => metadata.name))).toEqual(new Set(names));
  expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  expect(proxy.seen).toHaveLength(3);
  const versions = new Set<string>();
  for await (const page of client.pages(configMaps, { namespace }, { signal })) versions.add(page.resourceVersion);
  expect(versions.size).toBe(1);
});

test('a client that is told to wait by Retry-After waits at least that long, and then succeeds', async ({ signal }) => {
  const { client, proxy } = await makeProxiedClient();
  const namespace = await makeNamespace('retry');
  let refused = 0;
  proxy.fault = () => (refused++ < 1 ? { answer: 429, headers: { 'retry-after': '1' } } : undefined);
  const startedMs = performance.now();
  await client.create(configMaps, map(namespace, 'a'), { signal });
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(990);
  expect(proxy.seen).toHaveLength(2);
});

test('a wait beyond the deadline is not begun: the caller learns at once how long it should be', async ({ signal }) => {
  const { client, proxy } = await makeProxiedClient();
  proxy.fault = () => ({ answer: 429, headers: { 'retry-after': '30' } });
  const call = client.get(configMaps, { namespace: 'default', name: 'a' }, { signal, deadlineMs: 5_000 });
  await expect(call).rejects.toMatchObject({ code: 'SLUICE_KUBE_UNAVAILABLE', retryAfterMs: 30_000 });
  expect(proxy.seen).toHaveLength(1);
});

test('when the answer is lost, only a write that may be repeated is sent again', async ({ signal }) => {
  const { client, proxy } = await makeProxiedClient();
  const namespace = await makeNamespace('lost');
  const ref = { namespace, name: 'a' };
  await client.create(configMaps, map(namespace, 'a'), { signal });
  const loseNext = () => {
    let lost = 0;
    proxy.seen.length = 0;
    proxy.fault = () => (lost++ < 1 ? { reset: 'after' } : undefined);
  };
  loseNext();
  expect((await client.patch(configMaps, ref, { merge: { data: { x: '2' } } }, { signal })).data).toEqual({ x: '2' });
  expect(proxy.seen).toHaveLength(2);
  loseNext();
  const json = [{ op: 'replace', path: '/data/x', value: '3' } as const];
  await expect(client.patch(configMaps, ref, { json }, { signal })).rejects.toMatchObject({ httpStatus: 0 });
  expect(proxy.seen).toHaveLength(1);
  loseNext();
  await expect(client.create(configMaps, map(namespace, 'b'), { signal })).rejects.toMatchObject({ httpStatus: 0 });
  expect(proxy.seen).toHaveLength(1);
  loseNext();
  await client.patch(configMaps, ref, { json }, { signal, repeatable: true });
  expect(proxy.seen).toHaveLength(2);
});

test('a safety call overtakes ordinary calls that hang, and leaves a connection that does not answer', async ({
  signal,
}) => {
  const { client, proxy } = await makeProxiedClient();
  const namespace = await makeNamespace('lane');
  const ref = { namespace, name: 'a' };
  await client.create(configMaps, map(namespace, 'a'), { signal });
  const gone = new AbortController();
  proxy.fault = ({ method }) => (method === 'GET' ? { hang: true } : undefined);
  const hanging = Array.from({ length: 50 }, () => client.get(configMaps, ref, { signal: gone.signal }));
  const settled = Promise.allSettled(hanging);
  let hung = 0;
  proxy.fault = ({ method }) => (method === 'GET' || hung++ < 1 ? { hang: true } : undefined);
  const write = client.patch(configMaps, ref, { merge: { data: { x: '9' } } }, { signal, priority: 'safety' });
  expect((await write).data).toEqual({ x: '9' });
  expect(hung).toBeGreaterThanOrEqual(2);
  gone.abort(new Error('enough'));
  expect((await settled).every(({ status }) => status === 'rejected')).toBe(true);
});

test('a safety call to a server that is slow but alive gets through: its later tries have more time', async ({
  signal,
}) => {
  const { client, proxy } = await makeProxiedClient();
  const namespace = await makeNamespace('slow');
  const ref = { namespace, name: 'a' };
  await client.create(configMaps, map(namespace, 'a'), { signal });
  proxy.fault = ({ method }) => (method === 'PATCH' ? { delayMs: 1_300 } : undefined);
  const options = { signal, priority: 'safety', deadlineMs: 5_000 } as const;
  expect((await client.patch(configMaps, ref, { merge: { data: { x: '9' } } }, options)).data).toEqual({ x: '9' });
});

test('a call that waits for a connection ends with its signal, and those after it get one', async ({ signal }) => {
  const { client, proxy } = await makeProxiedClient();
  const ref = { namespace: 'default', name: 'a' };
  const gone = new AbortController();
  proxy.fault = () => ({ hang: true });
  const hanging = Promise.allSettled(
    Array.from({ length: 8 }, () => client.get(configMaps, ref, { signal: gone.signal })),
  );
  const [stop, reason] = [new AbortController(), new Error('overtaken')];
  const waiting = client.get(configMaps, ref, { signal: stop.signal });
  stop.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(client.get(configMaps, ref, { signal, deadlineMs: 100 })).rejects.toMatchObject({
    code: 'SLUICE_KUBE_DEADLINE',
  });
  gone.abort(new Error('enough'));
  expect((await hanging).every(({ status }) => status === 'rejected')).toBe(true);
  proxy.fault = () => undefined;
  expect(await client.get(configMaps, ref, { signal })).toBeUndefined();
});

test('every try is told, with its status', async ({ signal }) => {
  const { proxy } = await makeProxiedClient();
  const tries: string[] = [];
  const onTry: ClientPorts['onTry'] = ({ method, path }, status) =>
    tries.push(`${method} ${resourceOf(path)} ${status}`);
  const ports = { clock: systemClock, random: seededRandom(1), logger: silent, userAgent: 'sluice-test', onTry };
  const client = createClient(proxy.config, ports);
  onTestFinished(() => client.close(0));
  const faults = [{ reset: 'before' }, { answer: 503 }] as const;
  proxy.fault = () => faults[tries.length];
  const ref = { namespace: 'default', name: 'a' };
  expect(await client.get(configMaps, ref, { signal })).toBeUndefined();
  expect(tries).toEqual(['GET configmaps 0', 'GET configmaps 503', 'GET configmaps 404']);
});

test('a call ends with its deadline, or with the reason of its signal', async ({ signal }) => {
  const { client, proxy } = await makeProxiedClient();
  proxy.fault = () => ({ hang: true });
  const ref = { namespace: 'default', name: 'a' };
  await expect(client.get(configMaps, ref, { signal, deadlineMs: 200 })).rejects.toMatchObject({
    code: 'SLUICE_KUBE_DEADLINE',
  });
  const stop = new AbortController();
  const call = client.get(configMaps, ref, { signal: stop.signal });
  stop.abort(new Error('stopped by the test'));
  await expect(call).rejects.toThrow('stopped by the test');
});

test('many calls share few connections', async ({ signal }) => {
  const { client, proxy } = await makeProxiedClient();
  const calls = Array.from({ length: 200 }, () => client.raw({ method: 'GET', path: '/version' }, { signal }));
  const versions = await Promise.all(calls);
  expect(versions[0]).toHaveProperty('gitVersion');
  expect(proxy.connections).toBeLessThanOrEqual(8);
});
