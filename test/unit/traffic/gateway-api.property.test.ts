import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { WeightBp } from '../../../src/base/units.ts';
import type { Match, PerUser, RoutePlan, Shadow } from '../../../src/core/rollout/route-plan.ts';
import { isArmed } from '../../../src/traffic/gateway-api/armed.ts';
import { change } from '../../../src/traffic/gateway-api/change.ts';
import { whyNotProgrammed } from '../../../src/traffic/gateway-api/conditions.ts';
import { findRouteProblems } from '../../../src/traffic/gateway-api/find-route-problems.ts';
import type { RouteRule } from '../../../src/traffic/gateway-api/http-route.ts';
import { observe } from '../../../src/traffic/gateway-api/observe.ts';
import { applyPatch, PatchFailed } from '../../support/json-patch.ts';
import { RouteCluster, services } from '../../support/route-cluster.ts';
import { type Gateway, type Outcome, type Request, send } from '../../support/route-model.ts';

const runs = { numRuns: Number(process.env.SLUICE_RUNS ?? 60) };
// Each case is some hundred states, looked at by two hundred requests; how long that takes decides nothing.
vi.setConfig({ testTimeout: 2_000 * runs.numRuns });

const gateways: readonly Gateway[] = ['bySpecification', 'byHeaderCount'];
const original: RoutePlan = { kind: 'Original' };

const requests: readonly Request[] = ['/', '/api', '/api/x', '/other'].flatMap((path) =>
  ['GET', 'HEAD', 'POST'].flatMap((method) =>
    [{}, { 'x-tenant': 'a' }, { 'x-tenant': 'b' }].flatMap((tenant) =>
      [
        {},
        { 'x-team': 'shop' },
        { 'x-team': 'shop', 'x-beta': 'on' },
        { 'x-sluice-variant': 'canary' },
        { 'x-sluice-variant': 'canary', 'x-team': 'shop' },
      ].map((marks) => {
        return { path, method, headers: { ...tenant, ...marks } };
      }),
    ),
  ),
);

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> };
/** Leaves out what is undefined, as JSON does. */
const present = <T extends object>(value: T): Present<T> =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Present<T>;

const match = fc
  .record({
    path: fc.constantFrom(
      { type: 'PathPrefix', value: '/' },
      { type: 'PathPrefix', value: '/api' },
      { type: 'Exact', value: '/api' },
    ),
    method: maybe(fc.constantFrom('GET', 'POST')),
    headers: maybe(fc.constantFrom('a', 'b').map((value) => [{ type: 'Exact', name: 'x-tenant', value }])),
  })
  .map(present);
const weight = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 100 }) }, fc.constant(undefined));
const backends = fc
  .tuple(weight, fc.subarray(['legacy', 'partner']), fc.array(weight, { minLength: 2, maxLength: 2 }), fc.boolean())
  .map(([own, others, weights, last]) => {
    const ref = (name: string, w: number | undefined) =>
      present({ group: '', kind: 'Service', name, port: 80, weight: w });
    const theirs = others.map((name, i) => ref(name, weights[i]));
    return last ? [...theirs, ref('catalog', own)] : [ref('catalog', own), ...theirs];
  });
const theirBackends = fc.constant([{ group: '', kind: 'Service', name: 'tenant', port: 80, weight: 1 }]);
const rule = fc
  .record({
    matches: maybe(fc.array(match, { minLength: 1, maxLength: 2 })),
    backendRefs: fc.oneof({ weight: 4, arbitrary: backends }, { weight: 1, arbitrary: theirBackends }),
    filters: maybe(
      fc.constantFrom(
        [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-via', value: 'gw' }] } }],
        [{ type: 'RequestMirror', requestMirror: { backendRef: { name: 'audit', port: 80 } } }],
      ),
    ),
    timeouts: maybe(fc.constant({ request: '5s' })),
  })
  .map(present);
const routes = fc
  .array(rule, { minLength: 1, maxLength: 3 })
  .map((rules): RouteRule[] => rules.map((one, i) => (i === 0 ? { name: 'first', ...one } : one)));

const team = { name: 'x-team', value: 'shop', type: 'Exact' as const };
const beta = { name: 'x-beta', value: 'on', type: 'Exact' as const };
const matchStep = fc.constantFrom<Match[]>(
  { headers: [team] },
  { headers: [team], methods: ['GET'] },
  { headers: [team, beta] },
);
const ALL = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const;
const shadowStep = fc.record({
  percent: fc.constantFrom(0, 0.5, 10, 100),
  methods: fc.constantFrom<Shadow['methods'][]>(['GET'], ['GET', 'HEAD'], [...ALL]),
});
/** Whoever the evaluator calls canary. */
const perUser = fc.boolean().map(
  (isFirst): PerUser => ({
    match: { headers: [{ name: 'x-sluice-variant', value: 'canary', type: 'Exact' }] },
    isFirst,
  }),
);
const splitPlan = fc
  .record({
    kind: fc.constant('Split' as const),
    canaryBp: fc.constantFrom(0, 1, 500, 2500, 3333, 10_000).map((bp) => bp as WeightBp),
    match: maybe(matchStep),
    perUser: maybe(perUser),
    shadow: maybe(shadowStep),
  })
  .map((plan): RoutePlan => present(plan));
const plans = fc.oneof({ weight: 5, arbitrary: splitPlan }, { weight: 1, arbitrary: fc.constant(original) });

/** A plan that is followed for some steps only, before the next one comes or the route is lowered. */
const leg = fc.record({ plan: plans, steps: fc.integer({ min: 0, max: 12 }), lowered: fc.boolean() });
const journeys = fc.record({ rules: routes, legs: fc.array(leg, { maxLength: 4 }), plan: splitPlan });
type Journey = typeof journeys extends fc.Arbitrary<infer T> ? T : never;

/** The state that a journey ends in, wherever that is. */
function travel({ rules, legs }: Pick<Journey, 'rules' | 'legs'>, look: (cluster: RouteCluster) => void = () => {}) {
  const cluster = new RouteCluster({
    metadata: { name: 'catalog', namespace: 'shop' },
    spec: { parentRefs: [{ name: 'gw' }], rules },
  });
  for (const { plan, steps, lowered } of legs) {
    for (let i = 0; i < steps; i++) {
      cluster.step(plan);
      look(cluster);
    }
    if (!lowered) continue;
    cluster.lower();
    cluster.epoch += 1;
    look(cluster);
  }
  return cluster;
}

const outcomes = (rules: readonly RouteRule[]): (Outcome | undefined)[] =>
  gateways.flatMap((gateway) => requests.map((request) => send(rules, request, gateway)));

const canaryOf = (outcome: Outcome | undefined): number => outcome?.shares[services.canary] ?? 0;
const mirrorOf = (outcome: Outcome | undefined): number => outcome?.mirrors[services.canary] ?? 0;

/** Of 100 requests, how many the canary sees, copies included. */
const reachOf = (outcome: Outcome | undefined): number => 100 * canaryOf(outcome) + mirrorOf(outcome);

/** All but how the share of the user's Service is split, and what the canary gets a copy of. */
function othersOf(outcome: Outcome | undefined): string {
  if (!outcome) return 'none';
  const { user, stable, canary } = services;
  const shares: Record<string, number> = {};
  for (const [name, share] of Object.entries(outcome.shares)) {
    const owner = [stable, canary].includes(name) ? user : name;
    shares[owner] = (shares[owner] ?? 0) + share;
  }
  const rounded = Object.entries(shares).map(([name, share]) => [name, Math.round(share * 1e9)]);
  const { [canary]: _, ...mirrors } = outcome.mirrors;
  return JSON.stringify([rounded, mirrors, outcome.treatment]);
}

test('no state on any way takes a request from a rule of the user, or a share from a foreign backend', () => {
  fc.assert(
    fc.property(journeys, (journey) => {
      const before = outcomes(journey.rules).map(othersOf);
      travel(journey, (cluster) => expect(outcomes(cluster.rules()).map(othersOf)).toEqual(before));
    }),
    runs,
  );
});

test('a plan is reached from anywhere, and on the way the canary never gets more than before or after', () => {
  let carried = 0;
  fc.assert(
    fc.property(journeys, (journey) => {
      const cluster = travel(journey);
      const start = outcomes(cluster.rules());
      const states: (Outcome | undefined)[][] = [];
      const progress = cluster.walk(journey.plan, (rules) => states.push(outcomes(rules)));
      if (progress.kind === 'Refused') {
        expect(states).toEqual([]);
        return;
      }
      carried += 1;
      const end = outcomes(cluster.rules());
      const mostMirrored = Math.max(...[...start, ...end].map(mirrorOf));
      for (const state of states) {
        const excess = state.filter((now, i) => canaryOf(now) > Math.max(canaryOf(start[i]), canaryOf(end[i])) + 1e-9);
        expect(excess.length).toBe(0);
        // A request whose own rule makes way may meet a mirror for that time, but none that is larger.
        expect(Math.max(...state.map(mirrorOf))).toBeLessThanOrEqual(mostMirrored);
      }
    }),
    runs,
  );
  expect(carried).toBeGreaterThan(15);
});

test('who was admitted stays while plans only add: matched requests, units, then everybody', () => {
  const none = { kind: 'Split' as const, canaryBp: 0 as WeightBp };
  const unit: PerUser['match'] = { headers: [{ name: 'x-sluice-variant', value: 'canary', type: 'Exact' }] };
  let carried = 0;
  fc.assert(
    fc.property(routes, matchStep, fc.boolean(), (rules, matched, isFirst) => {
      const perUserRule = { match: unit, isFirst };
      const all: RoutePlan = { ...none, match: matched, perUser: perUserRule };
      const first: RoutePlan = isFirst ? { ...none, perUser: perUserRule } : { ...none, match: matched };
      const cluster = travel({ rules, legs: [] });
      if (cluster.walk(first).kind !== 'AtPlan') return;
      for (const plan of [all, { ...all, canaryBp: 10_000 as WeightBp }]) {
        const before = outcomes(cluster.rules()).map(canaryOf);
        const lost = (state: (Outcome | undefined)[]) =>
          state.filter((now, i) => canaryOf(now) < (before[i] ?? 0) - 1e-9);
        const progress = cluster.walk(plan, (state) => expect(lost(outcomes(state))).toEqual([]));
        if (progress.kind === 'Refused') return;
        expect(lost(outcomes(cluster.rules()))).toEqual([]);
        carried += 1;
      }
    }),
    runs,
  );
  expect(carried).toBeGreaterThan(20);
});

test('at a plan, every request of the Service is split, matched and mirrored as the plan says', () => {
  let seen = 0;
  fc.assert(
    fc.property(journeys, (journey) => {
      const { plan } = journey;
      const cluster = travel(journey);
      if (plan.kind !== 'Split' || cluster.walk(plan).kind !== 'AtPlan') return;
      requests.forEach((request) => {
        for (const gateway of gateways) {
          const own = send(journey.rules, request, gateway)?.shares[services.user] ?? 0;
          const now = send(cluster.rules(), request, gateway);
          const matched = [plan.match, plan.perUser?.match].some(
            (one) =>
              one?.headers.every(({ name, value }) => request.headers[name] === value) &&
              (one.methods ?? ALL).some((method) => method === request.method),
          );
          expect(canaryOf(now)).toBeCloseTo(matched ? own : (own * plan.canaryBp) / 10_000, 9);
          const shadowed = own > 0 && !matched && plan.shadow?.methods.some((method) => method === request.method);
          expect(mirrorOf(now)).toBe(shadowed ? plan.shadow?.percent : 0);
          seen += own > 0 ? 1 : 0;
        }
      });
    }),
    runs,
  );
  expect(seen).toBeGreaterThan(1000);
});

test('one patch lowers from anywhere, and nothing but a later decision raises again', () => {
  fc.assert(
    fc.property(journeys, (journey) => {
      const cluster = travel(journey);
      const ours = cluster.rules().some((r) => r.backendRefs?.some((ref) => ref.name === services.canary));
      cluster.lower();
      const seen = observe(cluster.route, cluster.context(journey.plan));
      expect(seen.reachesCanary).toBe(false);
      expect(seen.canaryBp).toBe(0);
      if (ours) expect(seen.record?.verdict).toBe('RolledBack');
      expect(outcomes(cluster.rules()).every((outcome) => canaryOf(outcome) + mirrorOf(outcome) === 0)).toBe(true);
      expect(cluster.lower()).toBeUndefined();
      if (!ours) return;
      for (let i = 0; i < 10; i++) {
        cluster.step(journey.plan);
        expect(outcomes(cluster.rules()).every((outcome) => canaryOf(outcome) + mirrorOf(outcome) === 0)).toBe(true);
      }
    }),
    runs,
  );
});

test('the way back ends with the rules exactly as their user wrote them', () => {
  fc.assert(
    fc.property(journeys, (journey) => {
      const cluster = travel(journey);
      expect(cluster.walk(original).kind).toBe('AtPlan');
      expect(cluster.rules()).toEqual(journey.rules);
    }),
    runs,
  );
});

test('what others changed meanwhile is still there after the way back', () => {
  const added: RouteRule = {
    matches: [{ path: { type: 'Exact', value: '/other' } }],
    backendRefs: [{ group: '', kind: 'Service', name: 'legacy', port: 80, weight: 1 }],
  };
  const edits = (rules: readonly RouteRule[], first: boolean, last: boolean): RouteRule[] => [
    ...(first ? [added] : []),
    ...rules.map((one) => ({ ...one, retry: { attempts: 3 } })),
    ...(last ? [added] : []),
  ];
  fc.assert(
    fc.property(journeys, fc.boolean(), fc.boolean(), (journey, first, last) => {
      const cluster = travel(journey);
      cluster.write({ ...cluster.route, spec: { ...cluster.route.spec, rules: edits(cluster.rules(), first, last) } });
      cluster.takeIn();
      cluster.walk(original);
      const wanted = edits(journey.rules, first, last);
      // Where rules moved, weights are those of their user in lowest terms.
      if (!first) expect(cluster.rules()).toEqual(wanted);
      expect(cluster.rules()).toHaveLength(wanted.length);
      expect(outcomes(cluster.rules()).map(othersOf).join()).toBe(outcomes(wanted).map(othersOf).join());
    }),
    runs,
  );
});

test('more goes to the canary only when the gateways have taken in the last change, and had time to settle', () => {
  let raises = 0;
  fc.assert(
    fc.property(journeys, fc.constantFrom(0, 500, 3000, 5000), ({ rules, plan }, lagMs) => {
      const cluster = travel({ rules, legs: [] });
      cluster.lagMs = lagMs;
      for (let i = 0; i < 30; i++) {
        const { route } = cluster;
        const { record, takenInAt } = observe(route, cluster.context(plan));
        const before = outcomes(cluster.rules());
        cluster.step(plan);
        if (!outcomes(cluster.rules()).some((now, at) => reachOf(now) > reachOf(before[at]))) continue;
        raises += 1;
        expect(whyNotProgrammed(route, {})).toBeUndefined();
        expect(takenInAt).toBeGreaterThanOrEqual(record?.changedAt ?? Number.POSITIVE_INFINITY);
        expect(cluster.now - (takenInAt ?? cluster.now)).toBeGreaterThanOrEqual(2000);
      }
    }),
    runs,
  );
  expect(raises).toBeGreaterThan(10);
});

test('no rule ever moves to another place while requests go to it', () => {
  const asAimed = (rules: readonly RouteRule[]) =>
    rules.map((one) => (isArmed(one) ? 'armed' : JSON.stringify(one.matches)));
  fc.assert(
    fc.property(journeys, (journey) => {
      let before = asAimed(journey.rules);
      travel(journey, (cluster) => {
        const after = asAimed(cluster.rules());
        before.forEach((matches, i) => {
          if (after[i] === matches || matches === 'armed') return;
          expect(i).toBeGreaterThanOrEqual(journey.rules.length);
          // What a rule matched comes to no other place; it may have stood there before, for a user may say it twice.
          expect(after.filter((now, j) => now === matches && before[j] !== matches)).toEqual([]);
        });
        expect(after.slice(0, journey.rules.length)).toEqual(asAimed(journey.rules));
        before = after;
      });
    }),
    runs,
  );
});

test('weights of a patch may take effect before its matches, or after them, and the canary gets no more by that', () => {
  const names = (one: RouteRule | undefined) => JSON.stringify(one?.backendRefs?.map(({ name }) => name));
  const weighedAs = (rules: readonly RouteRule[], others: readonly RouteRule[]): RouteRule[] =>
    rules.map((one, i) => {
      const backendRefs = others[i]?.backendRefs ?? [];
      return names(one) === names(others[i]) ? { ...one, backendRefs } : one;
    });
  // Long enough that most plans are reached: what stands aimed is what could meet wrong weights.
  const longLeg = fc.record({ plan: splitPlan, steps: fc.constant(9), lowered: fc.boolean() });
  const legs = fc.array(longLeg, { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(fc.record({ rules: routes, legs }), (journey) => {
      let before: readonly RouteRule[] = journey.rules;
      travel(journey, (cluster) => {
        const after = cluster.rules();
        if (after === before) return;
        const [start, end] = [outcomes(before), outcomes(after)];
        for (const between of [weighedAs(before, after), weighedAs(after, before)]) {
          const most = (i: number) => Math.max(canaryOf(start[i]), canaryOf(end[i])) + 1e-9;
          expect(outcomes(between).filter((now, i) => canaryOf(now) > most(i))).toEqual([]);
        }
        before = after;
      });
    }),
    runs,
  );
});

test('a raise that comes too late, after a lowering, is refused by the API server', () => {
  let raced = 0;
  fc.assert(
    fc.property(journeys, (journey) => {
      const cluster = travel(journey);
      const late = change(cluster.route, cluster.context(journey.plan));
      if (!late || !cluster.lower()) return;
      raced += 1;
      expect(() => applyPatch(cluster.route, late)).toThrow(PatchFailed);
    }),
    runs,
  );
  expect(raced).toBeGreaterThan(10);
});

test('a lowering passes over a concurrent change of anything that is not ours', () => {
  fc.assert(
    fc.property(journeys, (journey) => {
      const cluster = travel(journey);
      const read = cluster.route;
      const patch = cluster.lower();
      if (!patch) return;
      const timeouts = { request: '9s' };
      const rules = (read.spec.rules ?? []).map((one) => ({ ...one, timeouts }));
      const touched = {
        ...read,
        metadata: { ...read.metadata, resourceVersion: '999' },
        spec: { ...read.spec, rules },
      };
      if (!read.metadata.annotations) return;
      const after = applyPatch(touched, patch).spec.rules ?? [];
      expect(outcomes(after).every((outcome) => canaryOf(outcome) + mirrorOf(outcome) === 0)).toBe(true);
      for (const one of after) expect(one).toMatchObject({ timeouts });
    }),
    runs,
  );
});

test('problems found before the start are those that refuse later, and no others', () => {
  fc.assert(
    fc.property(journeys, ({ rules, plan }) => {
      const cluster = travel({ rules, legs: [] });
      const context = cluster.context(plan);
      const problems = findRouteProblems(cluster.route, { ...context, plans: [plan] });
      expect(cluster.walk(plan).kind).toBe(problems.length > 0 ? 'Refused' : 'AtPlan');
    }),
    runs,
  );
});
