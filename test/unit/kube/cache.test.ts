import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configMaps, deployments, namespaces } from '../../../src/kube/builtins.ts';
import { Cache } from '../../../src/kube/cache.ts';
import { pointer } from '../../../src/kube/json-patch.ts';
import { type KubeObject, keyOf, pathOf, refOf, resourceOf } from '../../../src/kube/resource.ts';

const object = (name: string, resourceVersion: string, owner: string, uid = name): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { namespace: 'ns', name, uid, resourceVersion, labels: { owner } },
});
const makeCache = () => new Cache<KubeObject, 'owner'>({ owner: ({ metadata }) => [metadata.labels?.owner ?? ''] });

test('putting the version that is there already changes nothing', () => {
  const cache = makeCache();
  expect(cache.put(object('a', '1', 'x'))?.type).toBe('added');
  expect(cache.put(object('a', '1', 'x'))).toBeUndefined();
  expect(cache.put(object('a', '2', 'x'))?.type).toBe('updated');
  expect(cache.put(object('a', '2', 'x', 'another uid'))?.type).toBe('updated');
  expect(cache.remove('ns/a')?.type).toBe('deleted');
  expect(cache.remove('ns/a')).toBeUndefined();
});

test('after any story the cache equals its last list and the indexes equal a full scan', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const thing = fc.tuple(name, fc.nat(9).map(String), fc.constantFrom('x', 'y', 'z')).map((args) => object(...args));
  const step = fc.oneof(
    thing.map((it) => (cache: Cache<KubeObject, 'owner'>) => void cache.put(it)),
    name.map((it) => (cache: Cache<KubeObject, 'owner'>) => void cache.remove(`ns/${it}`)),
    fc
      .uniqueArray(thing, { selector: ({ metadata }) => metadata.name })
      .map((them) => (cache: Cache<KubeObject, 'owner'>) => {
        cache.replaceAll(them);
        expect(new Set(Array.from(cache.list(), ({ metadata }) => metadata.name))).toEqual(
          new Set(them.map(({ metadata }) => metadata.name)),
        );
      }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const cache = makeCache();
      for (const run of steps) run(cache);
      for (const owner of ['x', 'y', 'z']) {
        const scanned = [...cache.list()].filter(({ metadata }) => metadata.labels?.owner === owner);
        expect(new Set(cache.byIndex('owner', owner))).toEqual(new Set(scanned));
      }
      for (const it of cache.list()) expect(cache.getByKey(keyOf(it.metadata))).toBe(it);
    }),
  );
});

test('keys and paths name objects and can be read back', () => {
  expect(refOf(keyOf({ namespace: 'shop', name: 'catalog' }))).toEqual({ namespace: 'shop', name: 'catalog' });
  expect(refOf(keyOf({ name: 'shop' }))).toEqual({ name: 'shop' });
  expect(pathOf(deployments, { namespace: 'shop', name: 'a' }, 'scale')).toBe(
    '/apis/apps/v1/namespaces/shop/deployments/a/scale',
  );
  expect(pathOf(deployments)).toBe('/apis/apps/v1/deployments');
  const ref = { namespace: 'shop', name: 'a' };
  for (const resource of [deployments, configMaps]) {
    expect(resourceOf(pathOf(resource, { namespace: 'shop' }))).toBe(resource.plural);
    expect(resourceOf(pathOf(resource, ref, 'status'))).toBe(`${resource.plural}/status`);
  }
  expect(resourceOf(pathOf(namespaces, { name: 'a' }))).toBe('namespaces');
  expect(pathOf(namespaces, { name: '../x?y' })).toBe('/api/v1/namespaces/..%2Fx%3Fy');
  expect(pointer('metadata', 'annotations', 'a/b~c', 0)).toBe('/metadata/annotations/a~1b~0c/0');
});
