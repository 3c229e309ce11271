import { expect, test } from 'vitest';
import { parseRollout } from '../../../../src/api/parse.ts';
import { findProblems } from '../../../../src/controllers/rollout/problems.ts';
import { type CustomObject, indexes, type Sources } from '../../../../src/controllers/rollout/sources.ts';
import type { EnvoyObject, HTTPRoute } from '../../../../src/kube/builtins.ts';
import { Cache } from '../../../../src/kube/cache.ts';
import type { KubeObject, ObjectRef } from '../../../../src/kube/resource.ts';
import { fullMetric, fullRollout } from '../../../support/manifests.ts';

const match = { headers: [{ name: 'x-team', value: 'shop' }] };
const shadow = (percent: number, ...methods: string[]) => ({ percent, methods });
const stickiness = { unit: [{ header: 'x-user-id' }] };
/** `count` rules with names, all to the Service. */
const rules = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    name: `rule-${i}`,
    matches: [{ path: { type: 'PathPrefix', value: `/${i}` } }],
    backendRefs: [{ name: 'catalog', port: 80, weight: 1 }],
  }));

interface Given {
  readonly steps: readonly object[];
  readonly traffic?: object;
  readonly rules: readonly object[];
  /** The Gateways that exist are `public` of Envoy Gateway. Default: that one. */
  readonly parentRefs?: readonly object[];
  /** `targetRefs` of a SecurityPolicy. */
  readonly securing?: readonly object[];
}

/** What is wrong with the one route of a Rollout. */
function problemsOf({ steps, traffic, rules: all, parentRefs = [{ name: 'public' }], securing = [] }: Given) {
  const rollout = fullRollout();
  const router = { gatewayAPI: { httpRoutes: [{ name: 'catalog' }] } };
  rollout.spec = { ...rollout.spec, steps, traffic: { service: 'catalog', router, ...traffic } };
  const parsed = parseRollout(rollout);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const namespace = 'shop';
  rollout.metadata.namespace = namespace;
  const metadata = (name: string) => ({ name, namespace, resourceVersion: '1' });
  const security = new Cache<EnvoyObject, keyof typeof indexes.securityPolicies>(indexes.securityPolicies);
  if (securing.length > 0)
    security.put({ metadata: metadata('tokens'), spec: { targetRefs: securing } } as unknown as EnvoyObject);
  const httpRoutes = new Cache<HTTPRoute>({});
  httpRoutes.put({ metadata: metadata('catalog'), spec: { parentRefs, rules: all } } as unknown as HTTPRoute);
  const nothing = { get: () => undefined, byIndex: () => [], list: () => [] };
  const named = (name: string, spec: object) => ({
    get: (ref: ObjectRef) => (ref.name === name ? ({ metadata: { name }, spec } as unknown as KubeObject) : undefined),
  });
  const sources = {
    ...Object.fromEntries(['rollouts', 'deployments', 'services'].map((kind) => [kind, nothing])),
    ...{ httpRoutes, metrics: { get: fullMetric }, presetNamespace: 'sluice-system', defaultGuardrails: [] },
    gateways: named('public', { gatewayClassName: 'eg' }),
    gatewayClasses: named('eg', { controllerName: 'gateway.envoyproxy.io/gatewayclass-controller' }),
    policies: { security, clientTraffic: nothing, grants: nothing, isServed: () => true, isKnown: () => true },
  } as unknown as Sources;
  return findProblems(sources, rollout as CustomObject, parsed.rollout.spec)
    .filter(({ code }) => /^SLUICE_(ROUTE|STICKINESS)/.test(code))
    .map(({ code, message }) => `${code} ${message}`);
}

test('steps are judged together: a match stays beside the shadow that comes after it', () => {
  const [toMatch, toShadow] = [{ match }, { shadow: shadow(100, 'GET') }];
  expect(problemsOf({ steps: [toMatch, { weight: 100 }], rules: rules(6) })).toEqual([]);
  expect(problemsOf({ steps: [toShadow, { weight: 100 }], rules: rules(6) })).toEqual([]);
  expect(problemsOf({ steps: [toMatch, toShadow, { weight: 100 }], rules: rules(5) })).toEqual([]);
  const tooMany = ['SLUICE_ROUTE_LIMIT the route would need 18 rules, of 16'];
  expect(problemsOf({ steps: [toMatch, toShadow, { weight: 100 }], rules: rules(6) })).toEqual(tooMany);
  // A mirror ends with its step, so the other way round they never meet.
  expect(problemsOf({ steps: [toShadow, toMatch, { weight: 100 }], rules: rules(6) })).toEqual([]);
});

test('with stickiness the rule for people stands beside the match rule, at the last step at the latest', () => {
  const path = { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' };
  // Such a rule may have one match only, so each way to the canary is a rule of its own.
  const all = rules(6).map((rule) => ({ ...rule, filters: [{ type: 'URLRewrite', urlRewrite: { path } }] }));
  const steps = [{ match }];
  expect(problemsOf({ steps, rules: all })).toEqual([]);
  expect(problemsOf({ steps, rules: all.slice(1), traffic: { stickiness } })).toEqual([]);
  expect(problemsOf({ steps, rules: all, traffic: { stickiness } })).toEqual([
    'SLUICE_ROUTE_LIMIT the route would need 18 rules, of 16',
  ]);
});

test.each([
  ['a Gateway that nobody knows', { name: 'internal' }],
  ['no Gateway', { kind: 'Service', name: 'catalog' }],
])('a parent that is %s says of no share that it could be mirrored', (_what, parent) => {
  const steps = [{ shadow: shadow(50, 'GET') }, { weight: 100 }];
  expect(problemsOf({ steps, rules: rules(1) })).toEqual([]);
  expect(problemsOf({ steps, rules: rules(1), parentRefs: [{ name: 'public' }, parent] })).toEqual([
    'SLUICE_ROUTE_MIRROR_UNSUPPORTED a gateway of this route does not say that it can mirror a share of requests',
  ]);
});

const onRule = (sectionName: string) => [{ kind: 'HTTPRoute', name: 'catalog', sectionName }];
const pastIt =
  'SLUICE_ROUTE_RULE_POLICY SecurityPolicy tokens is attached to the rule rule-0 of HTTPRoute catalog, and would not hold for the rules that Sluice adds';

test.each([
  ['match', { match }],
  ['shadow of some methods', { shadow: shadow(100, 'GET') }],
])('a policy that is attached to a rule by its name stops a %s, whose rules would go past it', (_what, step) => {
  expect(problemsOf({ steps: [step, { weight: 100 }], rules: rules(2), securing: onRule('rule-0') })).toEqual([pastIt]);
});

test('one on the whole route, on a rule of another route, or on a rule that goes elsewhere stops nothing', () => {
  const steps = [{ match }, { weight: 100 }];
  const elsewhere = { ...rules(1)[0], name: 'rule-9', backendRefs: [{ name: 'basket', port: 80 }] };
  const other = { matches: [{ path: { type: 'PathPrefix', value: '/9' } }] };
  const all = [...rules(2), { ...elsewhere, ...other }];
  for (const securing of [
    [{ kind: 'HTTPRoute', name: 'catalog' }],
    [{ kind: 'HTTPRoute', name: 'basket', sectionName: 'rule-0' }],
    onRule('rule-9'),
  ])
    expect(problemsOf({ steps, rules: all, securing })).toEqual([]);
});

test('one on a rule stops no plain weights, which add no rule, but with stickiness it does, and is told once', () => {
  const given = { steps: [{ weight: 10 }, { weight: 100 }], rules: rules(2), securing: onRule('rule-0') };
  expect(problemsOf(given)).toEqual([]);
  expect(problemsOf({ ...given, traffic: { stickiness } })).toEqual([pastIt]);
});
