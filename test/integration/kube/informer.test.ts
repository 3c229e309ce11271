import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { type ConfigMap, configMaps } from '../../../src/kube/builtins.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { Informer, type InformerOptions, withoutManagedFields } from '../../../src/kube/informer.ts';
import { makeNamespace } from '../../support/api-server.ts';
import { makeClient, makeProxiedClient } from '../../support/kube-client.ts';

const map = (namespace: string, name: string, x: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name, labels: { colour: x.length % 2 ? 'red' : 'blue' } },
  data: { x },
});

const byColour = ({ metadata }: ConfigMap) => [metadata.labels?.colour ?? ''];

/** A started informer that is stopped with the test, and the story of its changes as `added a`, `deleted b`. */
function makeInformer(
  client: KubeClient,
  namespace: string,
  options: Partial<InformerOptions<ConfigMap, 'colour'>> = {},
) {
  const ports = { client, clock: systemClock, random: seededRandom(7), logger: silent };
  const broken: string[] = [];
  const informer = new Informer<ConfigMap, 'colour'>(ports, {
    resource: configMaps,
    namespace,
    indexes: { colour: byColour },
    onBreak: (cause) => broken.push(cause),
    ...options,
  });
  const story: string[] = [];
  informer.onChange((change) => {
    const { metadata } = change.type === 'deleted' ? change.before : change.after;
    story.push(`${change.type} ${metadata.name}`);
  });
  onTestFinished(() => informer.stop());
  informer.start();
  return { informer, story, broken };
}

const until = (what: string, probe: () => boolean, signal: AbortSignal) =>
  waitFor(async () => probe(), { what, timeoutMs: 30_000, everyMs: 10, signal });

test('an informer tells what was there, what comes, what changes and what goes', async ({ signal }) => {
  const client = makeClient();
  const namespace = await makeNamespace('informer');
  await client.create(configMaps, map(namespace, 'a', '1'), { signal });
  const { informer, story } = makeInformer(client, namespace);
  await informer.synced;
  expect(story).toEqual(['added a']);
  await client.create(configMaps, map(namespace, 'b', '22'), { signal });
  await client.patch(configMaps, { namespace, name: 'a' }, { merge: { data: { x: '2' } } }, { signal });
  await client.delete(configMaps, { namespace, name: 'b' }, { signal });
  await until('the deletion', () => story.includes('deleted b'), signal);
  expect(story).toEqual(['added a', 'added b', 'updated a', 'deleted b']);
  expect(informer.cache.get({ namespace, name: 'a' })).toMatchObject({ kind: 'ConfigMap', data: { x: '2' } });
  expect(informer.cache.get({ namespace, name: 'a' })?.metadata.managedFields).toBeUndefined();
  expect(informer.cache.byIndex('colour', 'red').map(({ metadata }) => metadata.name)).toEqual(['a']);
  expect(informer.cache.byIndex('colour', 'blue')).toEqual([]);
});

test('a watch that is cut goes on where it ended: nothing is lost, told twice or listed again', async ({ signal }) => {
  const { client, proxy } = await makeProxiedClient();
  const namespace = await makeNamespace('cut');
  const { informer, story } = makeInformer(client, namespace);
  await informer.synced;
  // Each of the first watches breaks in the middle of its first or second event.
  let watches = 0;
  proxy.cutWatches();
  proxy.fault = ({ isWatch }) => (isWatch && watches++ < 6 ? { cutAfterBytes: 700 } : undefined);
  for (let i = 0; i < 10; i++) await client.create(configMaps, map(namespace, `m-${i}`, '1'), { signal });
  proxy.fault = () => undefined;
  await until('all objects', () => informer.cache.size >= 10, signal);
  expect(story).toEqual(Array.from({ length: 10 }, (_, i) => `added m-${i}`));
  expect(proxy.seen.filter(({ method, isWatch }) => method === 'GET' && !isWatch)).toHaveLength(1);
});

test('after 410 the informer lists again and tells exactly what differs', async ({ signal }) => {
  const { client, proxy } = await makeProxiedClient();
  const direct = makeClient();
  const namespace = await makeNamespace('gone');
  for (const name of ['kept', 'changed', 'removed']) {
    await direct.create(configMaps, map(namespace, name, '1'), { signal });
  }
  const { informer, story, broken } = makeInformer(client, namespace);
  await informer.synced;
  story.length = 0;
  proxy.fault = ({ isWatch }) => (isWatch ? { hang: true } : undefined);
  proxy.cutWatches();
  await until('the next watch', () => proxy.watches === 0, signal);
  await direct.delete(configMaps, { namespace, name: 'removed' }, { signal });
  await direct.patch(configMaps, { namespace, name: 'changed' }, { merge: { data: { x: '2' } } }, { signal });
  await direct.create(configMaps, map(namespace, 'new', '1'), { signal });
  // The version stays expired until somebody lists again.
  let listed = false;
  proxy.fault = ({ isWatch }) => {
    if (!isWatch) listed = true;
    const body = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
    return isWatch && !listed ? { answer: 410, body } : undefined;
  };
  proxy.dropAll();
  await until('the new list', () => informer.cache.get({ namespace, name: 'new' }) !== undefined, signal);
  expect(story.toSorted()).toEqual(['added new', 'deleted removed', 'updated changed']);
  expect(broken.filter((cause) => cause === 'expired')).toHaveLength(1);
  await direct.delete(configMaps, { namespace, name: 'new' }, { signal });
  await until('the watch after it', () => story.includes('deleted new'), signal);
});

test('a watch that goes silent is noticed, cut and opened again', async ({ signal }) => {
  const { client, proxy } = await makeProxiedClient();
  const direct = makeClient();
  const namespace = await makeNamespace('silent');
  const { informer, story, broken } = makeInformer(client, namespace, { silentMs: 1_000 });
  await informer.synced;
  await until('the watch', () => proxy.watches === 1, signal);
  proxy.hushWatches();
  await direct.create(configMaps, map(namespace, 'a', '1'), { signal });
  await until('the object', () => informer.cache.size === 1, signal);
  expect(broken).toContain('silent');
  expect(story).toEqual(['added a']);
});

test('a watch refused with 429 is not asked again before Retry-After', async ({ signal }) => {
  const { client, proxy } = await makeProxiedClient();
  const namespace = await makeNamespace('busy');
  const times: number[] = [];
  proxy.fault = ({ isWatch }) => {
    if (!isWatch || times.push(performance.now()) > 1) return undefined;
    return { answer: 429, headers: { 'retry-after': '2' } };
  };
  makeInformer(client, namespace);
  await until('the second watch', () => times.length === 2, signal);
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(1_990);
});

test('an idle informer makes no call but its one list and its one watch', async ({ signal }) => {
  const { client, proxy } = await makeProxiedClient();
  const namespace = await makeNamespace('idle');
  const { informer } = makeInformer(client, namespace);
  await informer.synced;
  await until('the watch', () => proxy.watches === 1, signal);
  await new Promise((resolve) => setTimeout(resolve, 3_000)); // the behaviour is that nothing happens in this time
  expect(proxy.seen.map(({ isWatch }) => isWatch)).toEqual([false, true]);
});

test('an informer stops although the API server does not answer, and says so to who waits for the first list', async () => {
  const { client, proxy } = await makeProxiedClient();
  proxy.fault = () => ({ hang: true });
  const { informer } = makeInformer(client, 'default');
  await informer.stop();
  await expect(informer.synced).rejects.toThrow('stopped');
  expect(informer.hasSynced).toBe(false);
});

test.each([11, 12, 13])('whatever breaks, the cache ends equal to a fresh list (seed %i)', async (seed) => {
  const signal = AbortSignal.timeout(50_000);
  const { client, proxy } = await makeProxiedClient();
  const direct = makeClient();
  const namespace = await makeNamespace('random');
  const random = seededRandom(seed);
  const names = Array.from({ length: 12 }, (_, i) => `m-${i}`);
  const { informer, story } = makeInformer(client, namespace, { silentMs: 700 });
  const steps = new Map<string, number[]>(names.map((name) => [name, []]));
  informer.onChange((change) => {
    if (change.type !== 'deleted') steps.get(change.after.metadata.name)?.push(Number(change.after.data?.x));
  });
  const faults = seededRandom(seed * 31);
  proxy.fault = ({ isWatch }) => {
    const draw = faults();
    if (draw < 0.05) return { reset: 'before' };
    if (draw < 0.1) return { answer: 503 };
    if (isWatch && draw < 0.2) return { answer: 410, body: { kind: 'Status', code: 410, message: 'gone' } };
    if (isWatch && draw < 0.5) return { cutAfterBytes: Math.floor(faults() * 3_000) };
    return undefined;
  };
  for (let i = 0; i < 400; i++) {
    const name = names[Math.floor(random() * names.length)]!;
    const kind = random();
    const there = await direct.get(configMaps, { namespace, name }, { signal });
    if (!there) await direct.create(configMaps, map(namespace, name, `${i}`), { signal });
    else if (kind < 0.4) await direct.delete(configMaps, { namespace, name }, { signal });
    else await direct.patch(configMaps, { namespace, name }, { merge: { data: { x: `${i}` } } }, { signal });
    if (random() < 0.05) proxy.cutWatches();
    if (random() < 0.02) proxy.hushWatches();
  }
  proxy.fault = () => undefined;
  const { items } = await direct.list(configMaps, { namespace }, { signal });
  const fresh = Object.fromEntries(items.map((object) => [object.metadata.name, withoutManagedFields(object)]));
  const cached = () => Object.fromEntries([...informer.cache.list()].map((object) => [object.metadata.name, object]));
  await until('the last version', () => JSON.stringify(sorted(cached())) === JSON.stringify(sorted(fresh)), signal);
  expect(cached()).toEqual(fresh);
  for (const colour of ['red', 'blue']) {
    const expected = Object.values(fresh).filter((object) => byColour(object)[0] === colour);
    expect(new Set(informer.cache.byIndex('colour', colour))).toEqual(new Set(expected));
  }
  expectTrueStory(story);
  // Time never goes back: every step of an object is told once at most, and in order.
  for (const told of steps.values()) expect(told).toEqual([...new Set(told)].toSorted((a, b) => a - b));
});

const sorted = (record: Record<string, ConfigMap>) =>
  Object.keys(record)
    .toSorted()
    .map((name) => [name, record[name]?.metadata.resourceVersion]);

/** Nothing is added twice, and nothing is changed or deleted that is not there. */
function expectTrueStory(story: readonly string[]): void {
  const there = new Set<string>();
  for (const line of story) {
    const [type, name] = line.split(' ') as [string, string];
    expect(`${line}: ${there.has(name)}`).toBe(`${line}: ${type !== 'added'}`);
    if (type === 'deleted') there.delete(name);
    else there.add(name);
  }
}
