import { describe, expect, test } from 'vitest';
import type { WeightBp } from '../../../src/base/units.ts';
import { GATEWAY_PATIENCE_MS, type RoutePlan } from '../../../src/core/rollout/route-plan.ts';
import { whyNotJudged, whyNotProgrammed } from '../../../src/traffic/gateway-api/conditions.ts';
import type { HttpRoute, ParentStatus } from '../../../src/traffic/gateway-api/http-route.ts';
import { observe } from '../../../src/traffic/gateway-api/observe.ts';
import { RouteCluster } from '../../support/route-cluster.ts';

const SETTLE_MS = 2000;
const LAG_MS = 40_000;
const original: RoutePlan = { kind: 'Original' };
const split = (bp: number): RoutePlan => ({ kind: 'Split', canaryBp: bp as WeightBp });
const match = { headers: [{ name: 'x-team', value: 'shop', type: 'Exact' as const }] };

const routeOf = (): HttpRoute => ({
  metadata: { name: 'catalog', namespace: 'shop', generation: 1, resourceVersion: '1', annotations: {} },
  spec: { parentRefs: [{ name: 'gw' }], rules: [{ backendRefs: [{ name: 'catalog', port: 80 }] }] },
});

/** At half for the canary, with gateways that are slow from then on. */
function atHalf(lagMs: number, from: RoutePlan = split(5000)): RouteCluster {
  const cluster = new RouteCluster(routeOf());
  cluster.walk(from);
  cluster.lagMs = lagMs;
  return cluster;
}

const seenAt = (cluster: RouteCluster, plan: RoutePlan) => observe(cluster.route, cluster.context(plan)).progress;

describe.each([
  ['a raise to all', split(10_000)],
  ['the way back', original],
])('rules that are those of %s', (_of, plan) => {
  test('are not at plan before the gateways have taken them in, and had time to settle', () => {
    const cluster = atHalf(LAG_MS);
    expect(cluster.step(plan).kind).toBe('Due');
    const written = cluster.now;
    while (cluster.now < written + LAG_MS) {
      expect(seenAt(cluster, plan)).toMatchObject({ kind: 'Waiting', reason: 'NotObserved' });
      cluster.tick();
    }
    const until = cluster.now + SETTLE_MS;
    expect(seenAt(cluster, plan)).toMatchObject({ kind: 'Waiting', reason: 'Settling', until });
    cluster.tick(SETTLE_MS - 1);
    expect(seenAt(cluster, plan).kind).toBe('Waiting');
    cluster.tick(1);
    expect(seenAt(cluster, plan)).toEqual({ kind: 'AtPlan' });
  });

  test('need not settle again after what others change; until gateways have it, a weight counts and a way back does not', () => {
    const cluster = atHalf(0);
    cluster.walk(plan);
    cluster.lagMs = 1000;
    const { spec } = cluster.route;
    cluster.write({
      ...cluster.route,
      spec: { ...spec, rules: [...(spec.rules ?? []), { backendRefs: [{ name: 'x' }] }] },
    });
    expect(seenAt(cluster, plan).kind).toBe(plan.kind === 'Original' ? 'Waiting' : 'AtPlan');
    cluster.tick();
    expect(seenAt(cluster, plan)).toEqual({ kind: 'AtPlan' });
  });

  test('are looked at anew by a new leader, who waits no longer than to settle', () => {
    const cluster = atHalf(0);
    cluster.walk(plan);
    const anew = { ...cluster.context(plan), takenIn: undefined };
    const until = cluster.now + SETTLE_MS;
    expect(observe(cluster.route, anew).progress).toMatchObject({ kind: 'Waiting', until });
  });
});

describe('a gateway that takes nothing in any more', () => {
  test('keeps a weight from counting for ever', () => {
    const cluster = atHalf(Number.POSITIVE_INFINITY);
    cluster.step(split(10_000));
    cluster.tick(100 * GATEWAY_PATIENCE_MS);
    expect(seenAt(cluster, split(10_000)).kind).toBe('Waiting');
  });

  test.each([
    ['with weights alone', split(5000)],
    ['with a match rule', { ...split(0), match } as RoutePlan],
  ])('keeps nobody from getting his route back for ever, %s', (_, from) => {
    const cluster = atHalf(Number.POSITIVE_INFINITY, from);
    const before = cluster.now;
    cluster.lower();
    for (let i = 0; seenAt(cluster, original).kind !== 'AtPlan' && i < 1000; i++) cluster.step(original);
    expect(seenAt(cluster, original)).toEqual({ kind: 'AtPlan' });
    expect(cluster.now - before).toBeGreaterThanOrEqual(GATEWAY_PATIENCE_MS);
    expect(cluster.now - before).toBeLessThan(3 * GATEWAY_PATIENCE_MS);
    expect(cluster.rules()).toEqual(routeOf().spec.rules);
  });
});

test('pods that a backend lacks stop the next raise, not the hold of what is in effect', () => {
  const cluster = atHalf(0);
  const [parent] = cluster.route.status?.parents ?? [];
  const { generation } = cluster.route.metadata;
  const none = { type: 'BackendsAvailable', status: 'False', observedGeneration: generation ?? 0 };
  const conditions = [...(parent?.conditions ?? []), none];
  cluster.route = { ...cluster.route, status: { parents: [{ ...(parent as ParentStatus), conditions }] } };
  expect(seenAt(cluster, split(5000))).toEqual({ kind: 'AtPlan' });
  expect(observe(cluster.route, cluster.context(split(5000))).programmed).toBe(false);
  expect(seenAt(cluster, split(7500)).kind).toBe('Waiting');
});

describe('an entry that another controller left about the same parent', () => {
  const entry = (controllerName: string, observedGeneration: number): ParentStatus => ({
    parentRef: { name: 'gw' },
    controllerName,
    conditions: ['Accepted', 'ResolvedRefs'].map((type) => ({ type, status: 'True', observedGeneration })),
  });
  const twice = {
    ...routeOf(),
    status: { parents: [entry('old.example/controller', 0), entry('new.example/controller', 1)] },
  };

  test('is not asked where the class of the Gateway names its controller', () => {
    const controllers = { 'shop/gw': 'new.example/controller' };
    expect(whyNotProgrammed(twice, controllers)).toBeUndefined();
    expect(whyNotJudged(twice, controllers)).toBeUndefined();
    expect(whyNotProgrammed(twice, { 'shop/gw': 'old.example/controller' })?.reason).toBe('NotObserved');
    expect(whyNotProgrammed(twice, { 'shop/gw': 'third.example/controller' })?.reason).toBe('NotReported');
  });

  test('counts like any other where nobody knows the controller', () => {
    expect(whyNotProgrammed(twice, { 'infra/gw': 'new.example/controller' })?.reason).toBe('NotObserved');
  });
});
