import { expect, test } from 'vitest';
import type { WeightBp } from '../../../src/base/units.ts';
import type { RoutePlan } from '../../../src/core/rollout/route-plan.ts';
import { change } from '../../../src/traffic/gateway-api/change.ts';
import { findRouteProblems } from '../../../src/traffic/gateway-api/find-route-problems.ts';
import { lower } from '../../../src/traffic/gateway-api/lower.ts';
import { observe } from '../../../src/traffic/gateway-api/observe.ts';
import { readRecord } from '../../../src/traffic/gateway-api/record.ts';
import { dropRecord } from '../../../src/traffic/gateway-api/record-patch.ts';
import type { RouteContext } from '../../../src/traffic/gateway-api/route-context.ts';
import { RouteCluster } from '../../support/route-cluster.ts';

// One route with a rule for `catalog`, which the Rollout with uid-1 steers, and one for `basket`, which that with uid-2 does.
const split = (canaryBp: number): RoutePlan => ({ kind: 'Split', canaryBp: canaryBp as WeightBp });
const prefix = (value: string) => [{ path: { type: 'PathPrefix', value } }];
const basket = { user: 'basket', stable: 'basket-stable', canary: 'basket-canary' };

function sharedRoute(): RouteCluster {
  return new RouteCluster({
    metadata: { name: 'public', namespace: 'shop', annotations: { team: 'shop' } },
    spec: {
      parentRefs: [{ name: 'gw' }],
      rules: [
        { matches: prefix('/a'), backendRefs: [{ name: 'catalog', port: 80, weight: 1 }] },
        { matches: prefix('/b'), backendRefs: [{ name: 'basket', port: 80, weight: 1 }] },
      ],
    },
  });
}

/** What the other Rollout's controller knows, while that of `catalog` is in flight. */
const ofBasket = (cluster: RouteCluster, plan: RoutePlan): RouteContext => ({
  ...cluster.context(plan),
  ...{ services: basket, rolloutUid: 'uid-2', revision: 'rev-9', inFlight: { 'uid-1': 'catalog' } },
});

const weights = (cluster: RouteCluster) =>
  cluster.rules().map(({ backendRefs = [] }) => backendRefs.map(({ name, weight }) => `${name} ${weight}`));

/** What the one annotation said before a Rollout minded that of another. */
function takenByForce(cluster: RouteCluster): void {
  cluster.patch(change(cluster.route, { ...ofBasket(cluster, split(0)), inFlight: {} }) ?? []);
}

test('while one Rollout steers a route, another does not write to it, and says whom it waits for', () => {
  const cluster = sharedRoute();
  cluster.walk(split(2500));
  cluster.tick(60_000);
  const record = readRecord(cluster.route);
  const context = ofBasket(cluster, split(0));
  const busy = {
    code: 'SLUICE_ROUTE_BUSY',
    message: 'the route public is steered by the Rollout catalog until its rollout is over',
  };
  expect(observe(cluster.route, context).progress).toMatchObject({ kind: 'Refused', ...busy });
  expect(change(cluster.route, context)).toBeUndefined();
  expect(findRouteProblems(cluster.route, { ...context, plans: [split(2500)] })).toMatchObject([busy]);
  expect(readRecord(cluster.route)).toEqual(record);
});

test('it goes on by itself when the first is done', () => {
  const cluster = sharedRoute();
  cluster.walk(split(2500));
  cluster.walk({ kind: 'Original' });
  expect(observe(cluster.route, ofBasket(cluster, split(0))).progress).toMatchObject({ code: 'SLUICE_ROUTE_BUSY' });
  cluster.patch(dropRecord(cluster.route, 'uid-1') ?? []);
  expect(findRouteProblems(cluster.route, { ...ofBasket(cluster, split(0)), plans: [split(0)] })).toEqual([]);
  cluster.patch(change(cluster.route, ofBasket(cluster, split(0))) ?? []);
  expect(weights(cluster)).toEqual([['catalog 1'], ['basket-stable 10000', 'basket-canary 0']]);
});

test('one that has nothing to do on a route of another is where it is to be', () => {
  const cluster = sharedRoute();
  cluster.walk(split(2500));
  const seen = observe(cluster.route, ofBasket(cluster, { kind: 'Original' }));
  expect(seen.progress).toEqual({ kind: 'AtPlan' });
  expect(seen.record).toBeUndefined();
});

test('the record of a Rollout that is gone, or has nothing in flight, stands in nobody’s way', () => {
  const cluster = sharedRoute();
  cluster.walk(split(2500));
  cluster.walk({ kind: 'Original' });
  const context = { ...ofBasket(cluster, split(0)), inFlight: {} };
  expect(findRouteProblems(cluster.route, { ...context, plans: [split(0)] })).toEqual([]);
  cluster.patch(change(cluster.route, context) ?? []);
  expect(readRecord(cluster.route)).toMatchObject({ rollout: 'uid-2', revision: 'rev-9' });
});

test('a Rollout takes its traffic back whatever record stands there, and leaves that one alone', () => {
  const cluster = sharedRoute();
  cluster.walk(split(2500));
  takenByForce(cluster);
  const record = readRecord(cluster.route);
  expect(record?.rollout).toBe('uid-2');
  expect(cluster.lower()).toBeDefined();
  expect(weights(cluster)).toEqual([
    ['catalog-stable 10000', 'catalog-canary 0'],
    ['basket-stable 10000', 'basket-canary 0'],
  ]);
  expect(readRecord(cluster.route)).toEqual(record);
  expect(cluster.lower()).toBeUndefined();
});

test('while a foreign record stands there, what was lowered does not rise again', () => {
  const cluster = sharedRoute();
  cluster.walk(split(2500));
  takenByForce(cluster);
  cluster.lower();
  cluster.tick(60_000);
  cluster.epoch += 1;
  const context = { ...cluster.context(split(2500)), inFlight: { 'uid-2': 'basket' } };
  expect(observe(cluster.route, context).progress).toMatchObject({ code: 'SLUICE_ROUTE_BUSY' });
  expect(change(cluster.route, context)).toBeUndefined();
});

test('what was lowered under a record of a Rollout that is gone is given back', () => {
  const cluster = sharedRoute();
  cluster.walk(split(2500));
  takenByForce(cluster);
  cluster.lower();
  expect(cluster.walk({ kind: 'Original' })).toEqual({ kind: 'AtPlan' });
  expect(weights(cluster)).toEqual([['catalog 1'], ['basket-stable 10000', 'basket-canary 0']]);
});

test('a rule of another Rollout is never lowered', () => {
  const cluster = sharedRoute();
  cluster.walk(split(2500));
  const before = weights(cluster);
  const context = { ...ofBasket(cluster, { kind: 'Original' }), verdict: 'RolledBack' as const };
  expect(lower(cluster.route, context)).toBeUndefined();
  expect(weights(cluster)).toEqual(before);
});

test('a record goes only with the Rollout that wrote it', () => {
  const cluster = sharedRoute();
  cluster.walk(split(2500));
  expect(dropRecord(cluster.route, 'uid-2')).toBeUndefined();
  const patch = dropRecord(cluster.route, 'uid-1');
  expect(patch?.map(({ op }) => op)).toEqual(['test', 'remove']);
});
