import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { configMaps, deployments, events } from '../../../src/kube/builtins.ts';
import { EventRecorder } from '../../../src/kube/events.ts';
import { addFinalizer, removeFinalizer } from '../../../src/kube/finalizers.ts';
import { isPatchTestFailed } from '../../../src/kube/kube-error.ts';
import { controllerOf, isControlledBy, ownerReference } from '../../../src/kube/owner-references.ts';
import { makeNamespace } from '../../support/api-server.ts';
import { makeClient } from '../../support/kube-client.ts';

const map = (namespace: string, name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name },
});

test('a finalizer holds an object until it is removed, and leaves those of others alone', async ({ signal }) => {
  const client = makeClient();
  const namespace = await makeNamespace('finalizers');
  const ref = { namespace, name: 'a' };
  const call = { signal };
  const created = await client.create(configMaps, map(namespace, 'a'), call);
  const once = await addFinalizer(client, configMaps, created, 'example.com/first', call);
  const both = await addFinalizer(client, configMaps, once, 'example.com/second', call);
  expect(both.metadata.finalizers).toEqual(['example.com/first', 'example.com/second']);
  expect(await addFinalizer(client, configMaps, both, 'example.com/second', call)).toBe(both);
  const late = await addFinalizer(client, configMaps, once, 'example.com/third', call).catch((error) => error);
  expect(isPatchTestFailed(late)).toBe(true);
  await client.delete(configMaps, ref, call);
  const dying = await client.get(configMaps, ref, call);
  expect(dying?.metadata.deletionTimestamp).toBeDefined();
  await removeFinalizer(client, configMaps, dying!, 'example.com/first', call);
  const last = await client.get(configMaps, ref, call);
  expect(last?.metadata.finalizers).toEqual(['example.com/second']);
  await removeFinalizer(client, configMaps, last!, 'example.com/second', call);
  expect(await client.get(configMaps, ref, call)).toBeUndefined();
  await removeFinalizer(client, configMaps, last!, 'example.com/second', call); // gone is success
});

test('an owner controls by uid and not by name', async ({ signal }) => {
  const client = makeClient();
  const namespace = await makeNamespace('owners');
  const owner = await client.create(configMaps, map(namespace, 'owner'), { signal });
  const metadata = { namespace, name: 'owned', ownerReferences: [ownerReference(owner, { controller: true })] };
  const owned = await client.create(configMaps, { ...map(namespace, 'owned'), metadata }, { signal });
  expect(controllerOf(owned)).toMatchObject({ kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid });
  expect(isControlledBy(owned, owner)).toBe(true);
  await client.delete(configMaps, { namespace, name: 'owner' }, { signal });
  const namesake = await client.create(configMaps, map(namespace, 'owner'), { signal });
  expect(isControlledBy(owned, namesake)).toBe(false);
  expect(() => ownerReference(map(namespace, 'x'), { controller: true })).toThrow('no uid');
});

test('the scale subresource is read and written', async ({ signal }) => {
  const client = makeClient();
  const namespace = await makeNamespace('scale');
  const labels = { app: 'web' };
  const template = {
    metadata: { labels, name: '' },
    spec: { containers: [{ name: 'web', image: 'none.invalid/web:1' }] },
  };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template };
  const ref = { namespace, name: 'web' };
  await client.create(deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: ref, spec }, { signal });
  expect((await client.getScale(deployments, ref, { signal }))?.spec?.replicas).toBe(2);
  await client.patch(deployments, ref, { merge: { spec: { replicas: 5 } } }, { signal, subresource: 'scale' });
  expect((await client.get(deployments, ref, { signal }))?.spec?.replicas).toBe(5);
  expect(await client.getScale(deployments, { namespace, name: 'none' }, { signal })).toBeUndefined();
});

test('an event is written once, and its repetitions raise a count', async ({ signal }) => {
  const client = makeClient();
  const namespace = await makeNamespace('events');
  const about = await client.create(configMaps, map(namespace, 'a'), { signal });
  let nowMs = Date.now();
  const clock = { ...systemClock, now: () => nowMs as ReturnType<typeof systemClock.now> };
  const recorder = new EventRecorder(
    { client, clock, logger: silent },
    { controller: 'example.com/test', instance: 'i' },
  );
  onTestFinished(() => recorder.stop());
  const notice = { about, type: 'Warning', reason: 'Tried', action: 'Try', note: 'é'.repeat(2_000) } as const;
  for (let i = 0; i < 5; i++) recorder.record(notice);
  recorder.record({ ...notice, note: 'another' });
  nowMs += 31_000;
  recorder.record(notice);
  const list = async () => (await client.list(events, { namespace }, { signal })).items;
  const counted = await waitFor(
    async () => {
      const items = await list();
      return items.some(({ series }) => series?.count === 6) && items;
    },
    { what: 'the count', timeoutMs: 10_000, signal },
  );
  expect(counted).toHaveLength(2);
  const event = counted.find(({ series }) => series);
  expect(event).toMatchObject({ reason: 'Tried', type: 'Warning', regarding: { kind: 'ConfigMap', name: 'a' } });
  expect(Buffer.byteLength(event?.note ?? '')).toBeLessThanOrEqual(1_024);
  expect(event?.note).toMatch(/^é+…$/);
});
