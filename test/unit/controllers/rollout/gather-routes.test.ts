import { expect, test } from 'vitest';
import { PLAN_ANNOTATION } from '../../../../src/api/names.ts';
import { type InFlight, rolloutStatusSchema } from '../../../../src/api/rollout-status.ts';
import type { EpochMs } from '../../../../src/base/units.ts';
import { gatherRoutes } from '../../../../src/controllers/rollout/gather-routes.ts';
import { newMemory } from '../../../../src/controllers/rollout/memory.ts';
import type { Sources } from '../../../../src/controllers/rollout/sources.ts';
import { writeRecord } from '../../../../src/traffic/gateway-api/record.ts';
import { RolloutNamespace, routeTo } from '../../../support/rollout-namespace.ts';

const AT = Date.parse('2026-11-01T10:00:00Z');
const status = rolloutStatusSchema.parse({
  stable: { hash: 'v1', since: '2026-11-01T09:59:50Z' },
  inFlight: {
    ...{ hash: 'v2', stableHash: 'v1', generation: 2, startedAt: '2026-11-01T09:59:50Z', steps: [{ weight: 25 }] },
    ...{ step: 0, stage: 'Holding', stageSince: '2026-11-01T09:59:50Z', weightBp: 2500 },
  },
});
const record = { rollout: 'uid-catalog', revision: 'v2', epoch: 0, verdict: 'Go', originals: {} } as const;

/** The route as gateways of these controllers have judged it, each at its generation. */
function routeJudged(judged: Readonly<Record<string, number>>, changedAt = AT) {
  const parents = Object.entries(judged).map(([controllerName, observedGeneration]) => ({
    parentRef: { name: 'gw' },
    controllerName,
    conditions: ['Accepted', 'ResolvedRefs'].map((type) => ({ type, status: 'True', observedGeneration })),
  }));
  const annotations = { [PLAN_ANNOTATION]: writeRecord({ ...record, changedAt: changedAt as EpochMs }) };
  return {
    metadata: { name: 'public', namespace: 'shop', generation: 7, annotations },
    spec: {
      parentRefs: [{ name: 'gw' }],
      rules: [routeTo('/', ['catalog-stable', 7500], ['catalog-canary', 2500])],
    },
    status: { parents },
  };
}

test('a route is at plan when the controller of its Gateway took it in, and it settled since', () => {
  const namespace = new RolloutNamespace();
  namespace.addRollout('catalog', { service: 'catalog', routes: ['public'], pinService: false }, {});
  const { rollout, observed } = namespace.gathered('catalog');
  if (!observed.spec) throw new Error('the Rollout has no spec');
  const { spec } = observed;
  let memory = newMemory();
  const progressAt = (now: number, route: object, held: Partial<InFlight> = {}) => {
    const sources = {
      rollouts: { byIndex: () => [] },
      httpRoutes: { get: () => route },
      gateways: { get: () => ({ spec: { gatewayClassName: 'fast' } }) },
      gatewayClasses: { get: () => ({ spec: { controllerName: 'new' } }) },
    } as unknown as Sources;
    const flight = { inFlight: { ...(status.inFlight as InFlight), ...held }, epoch: 0 };
    return gatherRoutes(sources, rollout, spec, memory, flight, now as EpochMs)[0]?.progress;
  };
  expect(progressAt(AT + 9000, routeJudged({ old: 3, new: 6 }))).toMatchObject({ reason: 'NotObserved' });
  expect(progressAt(AT + 10_000, routeJudged({ old: 3, new: 7 }))).toMatchObject({ until: AT + 12_000 });
  expect(progressAt(AT + 11_999, routeJudged({ old: 3, new: 7 }))?.kind).toBe('Waiting');
  expect(progressAt(AT + 12_000, routeJudged({ old: 3, new: 7 }))).toEqual({ kind: 'AtPlan' });
  expect(progressAt(AT + 12_001, routeJudged({ old: 3, new: 7 }, AT + 12_001))?.kind).toBe('Waiting');

  // A new leader, in the middle of a hold: that it began says that the former one saw the weight taken in.
  memory = newMemory();
  const held = { stage: 'Holding', stageSince: (AT + 12_000) as EpochMs } as const;
  expect(progressAt(AT + 60_000, routeJudged({ old: 3, new: 7 }), held)).toEqual({ kind: 'AtPlan' });
  memory = newMemory();
  expect(progressAt(AT + 60_000, routeJudged({ old: 3, new: 7 }, AT + 12_001), held)?.kind).toBe('Waiting');
});
