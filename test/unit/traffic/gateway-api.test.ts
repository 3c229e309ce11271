import { describe, expect, test } from 'vitest';
import { PLAN_ANNOTATION } from '../../../src/api/names.ts';
import type { EpochMs, WeightBp } from '../../../src/base/units.ts';
import type { RoutePlan, Shadow } from '../../../src/core/rollout/route-plan.ts';
import { isArmed } from '../../../src/traffic/gateway-api/armed.ts';
import { supports } from '../../../src/traffic/gateway-api/capabilities.ts';
import { change } from '../../../src/traffic/gateway-api/change.ts';
import { whyNotProgrammed } from '../../../src/traffic/gateway-api/conditions.ts';
import { findRouteProblems } from '../../../src/traffic/gateway-api/find-route-problems.ts';
import {
  type HttpRoute,
  matchesOf,
  type RouteCondition,
  type RouteRule,
} from '../../../src/traffic/gateway-api/http-route.ts';
import { observe } from '../../../src/traffic/gateway-api/observe.ts';
import { readRecord, writeRecord } from '../../../src/traffic/gateway-api/record.ts';
import { dropRecord } from '../../../src/traffic/gateway-api/record-patch.ts';
import { sameJson } from '../../../src/traffic/same-json.ts';
import { applyPatch, PatchFailed } from '../../support/json-patch.ts';
import { envoyGateway, RouteCluster, services } from '../../support/route-cluster.ts';

const split = (canaryBp: number): RoutePlan => ({ kind: 'Split', canaryBp: canaryBp as WeightBp });
const own: RouteRule = { backendRefs: [{ name: 'catalog', port: 80, weight: 1 }] };
const clusterAt = (...plans: RoutePlan[]): RouteCluster => {
  const cluster = new RouteCluster({
    metadata: { name: 'catalog', namespace: 'shop', annotations: { team: 'shop' } },
    spec: { parentRefs: [{ name: 'gw' }], rules: [own] },
  });
  for (const plan of plans) cluster.walk(plan);
  return cluster;
};

describe('the record', () => {
  test('says which decision last wrote the route, and leaves it only when asked', () => {
    const cluster = clusterAt(split(500));
    cluster.lower();
    cluster.walk({ kind: 'Original' });
    expect(observe(cluster.route, cluster.context({ kind: 'Original' })).record).toMatchObject({
      ...{ rollout: 'uid-1', revision: 'rev-2', epoch: 1, verdict: 'RolledBack' },
    });
    cluster.patch(dropRecord(cluster.route, 'uid-1') ?? []);
    expect(cluster.route.metadata.annotations).toEqual({ team: 'shop' });
    expect(dropRecord(cluster.route, 'uid-1')).toBeUndefined();
  });

  test.each(['Go', 'Lowered', 'RolledBack'] as const)('is read as it was written: %s', (verdict) => {
    const { route } = clusterAt(split(500));
    const record = { rollout: 'uid-1', revision: 'rev-2', epoch: 3, verdict, changedAt: 5 as EpochMs, originals: {} };
    const annotations = { [PLAN_ANNOTATION]: writeRecord(record) };
    expect(readRecord({ ...route, metadata: { ...route.metadata, annotations } })).toEqual(record);
  });

  test.each(['', 'null', '[]', '{', '{"rollout":"uid-1"}', `{"rollout":"${'x'.repeat(9000)}"}`, '{"epoch":1e999}'])(
    'that somebody else wrote counts as none: %.30s',
    (text) => {
      const { route } = clusterAt(split(500));
      const annotations = { [PLAN_ANNOTATION]: text };
      expect(readRecord({ ...route, metadata: { ...route.metadata, annotations } })).toBeUndefined();
    },
  );

  test('that was lost is written anew before anything is raised', () => {
    const cluster = clusterAt(split(500));
    cluster.write({ ...cluster.route, metadata: { ...cluster.route.metadata, annotations: {} } });
    cluster.tick(60_000);
    cluster.step(split(2500));
    expect(observe(cluster.route, cluster.context(split(2500)))).toMatchObject({
      ...{ canaryBp: 500, record: { verdict: 'Go', changedAt: cluster.now }, progress: { kind: 'Waiting' } },
    });
    cluster.walk(split(2500));
    expect(observe(cluster.route, cluster.context(split(2500))).canaryBp).toBe(2500);
  });

  test('of a newer decision keeps a former leader from changing anything', () => {
    const cluster = clusterAt(split(500));
    const late = { ...cluster.context(split(2500)), epoch: 0 };
    expect(change(cluster.route, late)).toBeUndefined();
    expect(observe(cluster.route, late).progress).toMatchObject({ kind: 'Waiting', reason: 'StaleEpoch' });
  });

  test('of a rollback gives way to a later decision', () => {
    const cluster = clusterAt(split(500));
    cluster.lower();
    cluster.epoch += 1;
    cluster.walk(split(500));
    expect(observe(cluster.route, cluster.context(split(500)))).toMatchObject({
      canaryBp: 500,
      record: { verdict: 'Go' },
    });
  });

  test('of another revision does not stand in the way of a new one, and its lowering comes too late', () => {
    const cluster = clusterAt(split(500));
    cluster.lower();
    const next = { ...cluster.context(split(500)), revision: 'rev-3', now: cluster.now + 9000 } as ReturnType<
      RouteCluster['context']
    >;
    cluster.patch(change(cluster.route, next) ?? []);
    expect(observe(cluster.route, next)).toMatchObject({ canaryBp: 500, record: { revision: 'rev-3', verdict: 'Go' } });
    expect(cluster.lower()).toBeUndefined();
  });
});

test('a patch meets only the rules that it was made for', () => {
  const cluster = clusterAt(split(500));
  cluster.tick(10_000);
  const patch = change(cluster.route, cluster.context(split(2500))) ?? [];
  const withoutVersion = patch.filter(({ path }) => path !== '/metadata/resourceVersion');
  const others = { ...cluster.route, spec: { ...cluster.route.spec, rules: [own] } };
  expect(() => applyPatch(others, withoutVersion)).toThrow(PatchFailed);
});

test('a helper that somebody took out of a rule is put back', () => {
  for (const missing of [services.stable, services.canary]) {
    const cluster = clusterAt(split(2500));
    const rules = cluster
      .rules()
      .map((rule) => ({ ...rule, backendRefs: rule.backendRefs?.filter(({ name }) => name !== missing) ?? [] }));
    cluster.write({ ...cluster.route, spec: { ...cluster.route.spec, rules } });
    cluster.takeIn();
    cluster.lower();
    const [rule] = cluster.rules();
    expect(rule?.backendRefs?.map(({ name, weight }) => [name, (weight ?? 1) > 0])).toEqual([
      [services.stable, true],
      [services.canary, false],
    ]);
  }
});

describe('a rule that was lowered', () => {
  const match = { headers: [{ name: 'x-team', value: 'shop', type: 'Exact' as const }] };
  const raisedAfterLowering = (first: RoutePlan, second: RoutePlan, rule: RouteRule) => {
    const cluster = clusterAt({ kind: 'Original' });
    cluster.write({ ...cluster.route, spec: { ...cluster.route.spec, rules: [rule] } });
    cluster.takeIn();
    cluster.walk(first);
    cluster.lower();
    cluster.epoch += 1;
    const states = [cluster.rules()];
    cluster.walk(second, (rules) => states.push(rules));
    const places = states.map(([, added]) => (added && !isArmed(added) ? matchesOf(added) : []));
    const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
    return places.filter((place, i) => !same(place, places[i - 1]));
  };

  test('by its mirror makes way before one for matched requests takes its place, though the two look alike then', () => {
    const shadow: Shadow = { percent: 10, methods: ['GET', 'HEAD'] };
    const first = { ...split(0), shadow } as RoutePlan;
    const second = { ...split(0), match, shadow } as RoutePlan;
    const path = { type: 'PathPrefix', value: '/' };
    const { headers } = match;
    expect(raisedAfterLowering(first, second, own)).toEqual([
      [
        { path, method: 'GET' },
        { path, method: 'HEAD' },
      ],
      [],
      [
        { path, headers },
        { path, headers, method: 'GET' },
        { path, headers, method: 'HEAD' },
      ],
    ]);
  });

  test('makes way before it is raised for fewer requests, as its weights may take effect first', () => {
    const api = { path: { type: 'Exact', value: '/api' }, method: 'GET' };
    const path = { type: 'PathPrefix', value: '/' };
    const { headers } = match;
    const first = { ...split(0), match } as RoutePlan;
    const second = { ...split(0), match: { ...match, methods: ['GET'] } } as RoutePlan;
    expect(raisedAfterLowering(first, second, { ...own, matches: [api, { path }] })).toEqual([
      [
        { ...api, headers },
        { path, headers },
      ],
      [],
      [
        { ...api, headers },
        { path, headers, method: 'GET' },
      ],
    ]);
  });
});

describe('gateways', () => {
  const other = { controllerName: 'example.com/gw', supportedFeatures: [] as string[] };

  test('have a feature when they publish it or it was tried, and lack it only when they publish others', () => {
    const feature = 'HTTPRouteRequestPercentageMirror';
    expect(supports([envoyGateway], feature)).toBe('Yes');
    expect(supports([other], feature)).toBe('Unknown');
    expect(supports([], feature)).toBe('Unknown');
    expect(supports([{ ...other, supportedFeatures: [feature] }], feature)).toBe('Yes');
    expect(supports([{ ...other, supportedFeatures: ['HTTPRoute'] }], feature)).toBe('No');
    expect(supports([envoyGateway, other], feature)).toBe('Unknown');
    expect(supports([envoyGateway, { ...other, supportedFeatures: ['HTTPRoute'] }], feature)).toBe('No');
  });

  test('that lack a feature refuse the plans that need it, and unknown ones only a share of a mirror', () => {
    const { route } = clusterAt();
    const codes = (supportedFeatures: string[], plan: object) =>
      findRouteProblems(route, {
        ...{ services, rolloutUid: 'uid-1', inFlight: {}, gateways: [{ ...other, supportedFeatures }] },
        plans: [{ ...split(0), ...plan } as RoutePlan],
      }).map(({ code }) => code);
    const all = { shadow: { percent: 100, methods: ['GET'] } };
    const share = { shadow: { percent: 10, methods: ['GET'] } };
    const match = { match: { headers: [{ name: 'x-team', value: 'shop', type: 'Exact' }], methods: ['GET'] } };
    expect(codes([], all)).toEqual([]);
    expect(codes([], match)).toEqual([]);
    expect(codes([], share)).toEqual(['SLUICE_ROUTE_MIRROR_UNSUPPORTED']);
    expect(codes(['HTTPRoute'], all)).toEqual(['SLUICE_ROUTE_MIRROR_UNSUPPORTED']);
    expect(codes(['HTTPRoute'], match)).toEqual(['SLUICE_ROUTE_METHOD_MATCH_UNSUPPORTED']);
    expect(
      codes(['HTTPRouteRequestMirror', 'HTTPRouteRequestPercentageMirror', 'HTTPRouteMethodMatching'], share),
    ).toEqual([]);
  });
});

describe('a route is programmed', () => {
  const condition = (type: string, status = 'True', observedGeneration = 2): RouteCondition => ({
    type,
    status,
    reason: type,
    observedGeneration,
  });
  const good = [condition('Accepted'), condition('ResolvedRefs')];
  const route = (...parents: RouteCondition[][]): HttpRoute => ({
    metadata: { name: 'catalog', namespace: 'shop', generation: 2 },
    spec: { parentRefs: [{ name: 'a' }, { name: 'b', namespace: 'infra' }] },
    status: {
      parents: parents.map((conditions, i) => ({
        parentRef: i === 0 ? { kind: 'Gateway', name: 'a', namespace: 'shop' } : { name: 'b', namespace: 'infra' },
        conditions,
      })),
    },
  });

  test('when every parent accepts this generation', () => {
    expect(whyNotProgrammed(route(good, good), {})).toBeUndefined();
    expect(whyNotProgrammed(route([...good, condition('BackendsAvailable')], good), {})).toBeUndefined();
  });

  test.each([
    ['a parent has not reported', [good], 'NotReported', 'Gateway b'],
    [
      'a parent is a generation behind',
      [good, [condition('Accepted', 'True', 1), condition('ResolvedRefs')]],
      'NotObserved',
      'Gateway b',
    ],
    [
      'a reference does not resolve',
      [[condition('Accepted'), condition('ResolvedRefs', 'False')], good],
      'ResolvedRefs',
      'Gateway a',
    ],
    [
      'a backend has no endpoints',
      [good, [...good, condition('BackendsAvailable', 'False')]],
      'BackendsAvailable',
      'Gateway b',
    ],
    ['a rule was dropped', [good, [...good, condition('PartiallyInvalid')]], 'PartiallyInvalid', 'Gateway b'],
  ])('not when %s', (_, parents, reason, named) => {
    const problem = whyNotProgrammed(route(...parents), {});
    expect(problem?.reason).toBe(reason);
    expect(problem?.message).toContain(named);
  });

  test('not when it has no parent', () => {
    expect(whyNotProgrammed({ ...route(good, good), spec: {} }, {})?.reason).toBe('NoParent');
  });
});

test('a route of another kind is refused', () => {
  const { route } = clusterAt();
  const context = { services, rolloutUid: 'uid-1', inFlight: {}, gateways: [], plans: [split(0)] };
  expect(findRouteProblems({ ...route, kind: 'GRPCRoute' }, context)).toMatchObject([{ code: 'SLUICE_ROUTE_KIND' }]);
});

test('JSON values are equal whatever the order of their members, and absent is as good as undefined', () => {
  expect(sameJson({ a: [1, { b: null }], c: undefined }, { a: [1, { b: null }] })).toBe(true);
  expect(sameJson({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
  for (const [a, b] of [
    [{ a: 1 }, { a: 2 }],
    [[1], [1, 2]],
    [{ a: undefined }, { b: 1 }],
    [[], {}],
    [null, {}],
    [1, '1'],
  ]) {
    expect(sameJson(a, b)).toBe(false);
  }
});
