import { expect, test } from 'vitest';
import { ROLLOUT_LABEL } from '../../../../src/api/names.ts';
import { releaseOffline } from '../../../../src/controllers/rollout/release-offline.ts';
import { indexes } from '../../../../src/controllers/rollout/sources.ts';
import { dropRecords, lowerRoutes } from '../../../../src/controllers/rollout/write-routes.ts';
import { pinService, removeHelpers } from '../../../../src/controllers/rollout/write-services.ts';
import { RolloutNamespace, routeTo, statusInFlight } from '../../../support/rollout-namespace.ts';

const frozen = { service: 'catalog', pinService: true, httpRoutes: ['public', 'internal'] };

/** A Rollout at 25 % on both routes, whose spec now names another Service, and `public` alone. */
function edited(router: object = { router: frozen }): RolloutNamespace {
  const namespace = new RolloutNamespace();
  namespace.addRollout('catalog', { service: 'shop', routes: ['public'], pinService: false }, statusInFlight(router));
  for (const name of ['public', 'internal'])
    namespace.addRoute(name, [routeTo('/', ['catalog-stable', 7500], ['catalog-canary', 2500])], {
      ...{ rollout: 'uid-catalog', revision: 'v2', epoch: 1, verdict: 'Go' as const },
    });
  for (const name of ['catalog', 'shop']) namespace.addService(name, { app: name });
  for (const name of ['catalog-stable', 'catalog-canary'])
    namespace.addService(name, { app: name }, { [ROLLOUT_LABEL]: 'catalog' });
  return namespace;
}

test('every route that a rollout in flight has taken is looked at, whatever the spec says since', () => {
  const { observed } = edited().gathered('catalog');
  expect(observed.routes.map(({ name, canaryBp }) => [name, canaryBp])).toEqual([
    ['public', 2500],
    ['internal', 2500],
  ]);
  expect(observed.services.canary.exists).toBe(true);
  expect(observed.spec?.traffic).toMatchObject({ service: 'catalog', pinService: true });
});

test('a rollback takes the traffic from the canary on all of them, before pods and helpers go', async () => {
  const namespace = edited();
  await lowerRoutes(namespace.writing('catalog'), { kind: 'Lower', verdict: 'RolledBack' });
  for (const name of ['public', 'internal'])
    expect(namespace.weightsOf(name)).toEqual([
      ['catalog-stable', 7500 + 2500],
      ['catalog-canary', 0],
    ]);
});

test('the pin, the helpers and the records that go are those of its beginning', async () => {
  const namespace = edited();
  await pinService(namespace.writing('catalog'), { kind: 'PinService', hash: 'v1' });
  await dropRecords(namespace.writing('catalog'));
  await removeHelpers(namespace.writing('catalog'));
  expect(namespace.written).toEqual([
    'patch services catalog',
    'patch httproutes public',
    'patch httproutes internal',
    'delete services catalog-stable',
    'delete services catalog-canary',
  ]);
});

test('a release without an operator gives everything back that the rollout took, and nothing else', async () => {
  const namespace = edited();
  const { client, clock } = namespace;
  const asked = { namespace: 'shop', name: 'catalog', force: true, timeoutMs: 600_000 };
  await releaseOffline({ client, clock, tell: () => undefined }, asked, AbortSignal.timeout(10_000));
  expect(namespace.hasRollout('catalog')).toBe(false);
  for (const name of ['public', 'internal']) {
    expect(namespace.weightsOf(name)).toEqual([['catalog', 1]]);
    expect(namespace.annotationsOf(name)).toEqual({ team: 'shop' });
  }
  expect(namespace.services()).toEqual([
    ['catalog', { app: 'catalog' }],
    ['shop', { app: 'shop' }],
  ]);
  expect(namespace.written.slice(0, 2)).toEqual(['patch httproutes public', 'patch httproutes internal']);
});

test('it is found by what it froze and by what its spec names', () => {
  const rollout = edited().rollout('catalog');
  expect(indexes.rollouts.route(rollout)).toEqual(['shop/public', 'shop/internal']);
  expect(indexes.rollouts.service(rollout)).toEqual(['shop/shop', 'shop/catalog']);
});

test('one that an older version began goes by its spec', () => {
  const { observed } = edited({}).gathered('catalog');
  expect(observed.routes.map(({ name }) => name)).toEqual(['public']);
  expect(observed.spec?.traffic.service).toBe('shop');
});
