import { expect, test } from 'vitest';
import { type CustomObject, indexes } from '../../../../src/controllers/rollout/sources.ts';
import { waitersOf } from '../../../../src/controllers/rollout/waiters.ts';
import { Cache } from '../../../../src/kube/cache.ts';

function rollout(name: string, route: string, inFlight?: object): CustomObject {
  const spec = { traffic: { router: { gatewayAPI: { httpRoutes: [{ name: route }] } } } };
  return { metadata: { name, namespace: 'shop' }, spec, status: { inFlight } } as unknown as CustomObject;
}

const others = new Cache<CustomObject, keyof typeof indexes.rollouts>(indexes.rollouts);
others.replaceAll([rollout('basket', 'public'), rollout('search', 'internal'), rollout('admin', 'admin')]);
const before = rollout('catalog', 'public', { router: { service: 'catalog', httpRoutes: ['public', 'internal'] } });
const after = rollout('catalog', 'public');

test('those who share a route are told when what was in flight there ends, in whatever way', () => {
  expect(waitersOf(others, { type: 'deleted', before })).toEqual(['shop/basket', 'shop/search']);
  expect(waitersOf(others, { type: 'updated', before, after })).toEqual(['shop/basket', 'shop/search']);
});

test('nobody is told of other changes', () => {
  expect(waitersOf(others, { type: 'added', after: before })).toEqual([]);
  expect(waitersOf(others, { type: 'updated', before, after: before })).toEqual([]);
  expect(waitersOf(others, { type: 'updated', before: after, after: before })).toEqual([]);
  expect(waitersOf(others, { type: 'deleted', before: after })).toEqual([]);
});
