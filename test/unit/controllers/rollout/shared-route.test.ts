import { expect, test } from 'vitest';
import { changeRoutes } from '../../../../src/controllers/rollout/write-routes.ts';
import { RolloutNamespace, routeTo, statusInFlight } from '../../../support/rollout-namespace.ts';

test('routes are taken by name, and none after one that another Rollout steers', async () => {
  const namespace = new RolloutNamespace();
  const status = (hash: string) => statusInFlight({ hash, stage: 'TakingRoute', weightBp: 0 });
  const routes = ['c', 'b', 'a'];
  namespace.addRollout('catalog', { service: 'catalog', routes, pinService: false }, status('v2'));
  namespace.addRollout('basket', { service: 'basket', routes: ['b'], pinService: false }, status('v9'));
  const rules = [routeTo('/a', ['catalog', 1]), routeTo('/b', ['basket', 1])];
  for (const name of routes) namespace.addRoute(name, rules);
  const write = { kind: 'Route' as const, plan: { kind: 'Split' as const, canaryBp: 0 as never }, epoch: 1 };
  await changeRoutes(namespace.writing('basket'), write);
  await changeRoutes(namespace.writing('catalog'), write);
  expect(namespace.written).toEqual(['patch httproutes b', 'patch httproutes a']);
  const { problems, routes: seen } = namespace.gathered('catalog').observed;
  expect(problems.filter(({ passing }) => passing)).toEqual([
    {
      code: 'SLUICE_ROUTE_BUSY',
      message: 'the route b is steered by the Rollout basket until its rollout is over',
      passing: true,
    },
  ]);
  expect(seen.map(({ progress }) => progress.kind)).toEqual(['Due', 'Refused', 'Waiting']); // no gateway has taken it in

  // Its record stays on the route, and is nobody's any more.
  namespace.addRollout('basket', { service: 'basket', routes: ['b'], pinService: false }, {});
  await changeRoutes(namespace.writing('catalog'), write);
  expect(namespace.written.slice(2)).toEqual(['patch httproutes b', 'patch httproutes c']);
});
