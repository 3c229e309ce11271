import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import type { WeightBp } from '../../../src/base/units.ts';
import type { RoutePlan } from '../../../src/core/rollout/route-plan.ts';
import { findRouteProblems } from '../../../src/traffic/gateway-api/find-route-problems.ts';
import type { HttpRoute } from '../../../src/traffic/gateway-api/http-route.ts';
import { observe } from '../../../src/traffic/gateway-api/observe.ts';
import { RouteCluster } from '../../support/route-cluster.ts';

const header = z.strictObject({ name: z.string(), value: z.string(), type: z.string().default('Exact') });
const split = z.strictObject({
  kind: z.literal('Split'),
  canaryBp: z.number().default(0),
  match: z.strictObject({ headers: z.array(header), methods: z.array(z.string()).optional() }).optional(),
  perUser: z
    .strictObject({ isFirst: z.boolean().default(true), match: z.strictObject({ headers: z.array(header) }) })
    .optional(),
  shadow: z.strictObject({ percent: z.number(), methods: z.array(z.string()).default(['GET', 'HEAD']) }).optional(),
});
const plan = z.union([z.strictObject({ kind: z.literal('Original') }), split]);
const question = z.strictObject({
  /** Plans that were reached before, in order; `lower` and `rollBack` in between lower the route. */
  before: z.array(z.union([plan, z.enum(['lower', 'rollBack'])])).default([]),
  /** What somebody else then made of the rules. */
  meanwhile: z.array(z.looseObject({})).optional(),
  do: z.enum(['patch', 'walk', 'lower', 'rollBack', 'observe', 'find problems']),
  plan: plan.optional(),
  gateways: z.array(z.strictObject({ controllerName: z.string(), supportedFeatures: z.array(z.string()) })).optional(),
  parentRefs: z.array(z.looseObject({ name: z.string() })).default([{ name: 'public' }]),
  status: z.looseObject({}).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  rules: z.array(z.looseObject({})),
});

const dir = new URL('./testdata/gateway-api/', import.meta.url);
const files = readdirSync(dir);
const endingIn = (end: string) => files.filter((file) => file.endsWith(end)).map((file) => file.slice(0, -end.length));
const cases = endingIn('.in.yaml');

describe('Gateway API', () => {
  test.each(cases)('%s', async (name) => {
    const asked = question.parse(parse(readFileSync(new URL(`${name}.in.yaml`, dir), 'utf8')));
    const answer = stringify(answerTo(asked), { lineWidth: 0, aliasDuplicateObjects: false });
    await expect(answer).toMatchFileSnapshot(`testdata/gateway-api/${name}.out.yaml`);
  });

  test('every answer file has a question file, and there are at least twenty', () => {
    expect(endingIn('.out.yaml').filter((answer) => !cases.includes(answer))).toEqual([]);
    expect(cases.length).toBeGreaterThanOrEqual(20);
  });
});

type Plan = z.output<typeof plan>;

function answerTo(asked: z.output<typeof question>): object {
  const cluster = clusterFor(asked);
  const goal = asPlan(asked.plan ?? { kind: 'Original' });
  const context = cluster.context(goal);
  if (asked.do === 'find problems')
    return { problems: findRouteProblems(cluster.route, { ...context, plans: [goal] }) };
  if (asked.do === 'observe') return { seen: observe(cluster.route, context) };
  if (asked.do === 'walk') {
    const progress = cluster.walk(goal);
    return { progress, patches: cluster.patches, rules: cluster.rules() };
  }
  if (asked.do === 'patch') {
    const progress = cluster.step(goal);
    return { progress, patch: cluster.patches[0] ?? null, rules: cluster.rules() };
  }
  const patch = cluster.lower(asked.do === 'rollBack' ? 'RolledBack' : 'Go');
  return { patch: patch ?? null, rules: cluster.rules() };
}

function clusterFor(asked: z.output<typeof question>): RouteCluster {
  const cluster = new RouteCluster({
    kind: 'HTTPRoute',
    metadata: {
      ...{ name: 'catalog', namespace: 'shop', resourceVersion: '1', generation: 1 },
      ...(asked.annotations ? { annotations: asked.annotations } : {}),
    },
    spec: { parentRefs: asked.parentRefs, rules: asked.rules },
  });
  for (const step of asked.before) {
    if (typeof step === 'string') cluster.lower(step === 'lower' ? 'Go' : 'RolledBack');
    else cluster.walk(asPlan(step));
  }
  // Gateways and other writers come after what was reached before.
  if (asked.gateways) cluster.gateways = asked.gateways;
  if (asked.meanwhile) cluster.write({ ...cluster.route, spec: { ...cluster.route.spec, rules: asked.meanwhile } });
  cluster.takeIn();
  cluster.tick(10_000);
  if (asked.status) cluster.route = { ...cluster.route, status: asked.status as NonNullable<HttpRoute['status']> };
  cluster.patches.length = 0;
  return cluster;
}

const asPlan = (wanted: Plan): RoutePlan =>
  wanted.kind === 'Original' ? wanted : ({ ...wanted, canaryBp: wanted.canaryBp as WeightBp } as RoutePlan);
