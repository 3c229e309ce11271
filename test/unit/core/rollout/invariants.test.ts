import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Action } from '../../../../src/api/action.ts';
import type { InFlight } from '../../../../src/api/rollout-status.ts';
import { planOf } from '../../../../src/core/rollout/plan.ts';
import { RolloutModel } from '../../../support/rollout-model.ts';

/** Something that a user, a pod or a machine does between two passes. */
type Happening =
  | { readonly kind: 'push'; readonly hash: string }
  | { readonly kind: 'break' | 'mend'; readonly hash: string }
  | { readonly kind: 'answer'; readonly value: 'good' | 'bad' | 'empty' | 'down' }
  | { readonly kind: 'scale'; readonly replicas: number }
  | { readonly kind: 'ask'; readonly action: Action['action'] }
  | { readonly kind: 'gate'; readonly works: boolean }
  | { readonly kind: 'own'; readonly owner: RolloutModel['owner']; readonly onUnpinned: 'Hold' | 'Continue' }
  | { readonly kind: 'evaluator'; readonly at: number; readonly is: 'dead' | 'slow' | 'well' }
  | { readonly kind: 'start'; readonly atATime: number }
  | { readonly kind: 'gateway'; readonly lagMs: number }
  | { readonly kind: 'detach' }
  | { readonly kind: 'lose'; readonly helper: 'stable' | 'canary' }
  | { readonly kind: 'crash'; readonly after: number }
  | { readonly kind: 'time'; readonly seconds: number };

const hash = fc.constantFrom('v1', 'v2', 'v3');
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('time' as const), seconds: fc.integer({ min: 1, max: 60 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('push' as const), hash }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('break' as const, 'mend' as const), hash }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      value: fc.constantFrom('good' as const, 'good' as const, 'bad' as const, 'empty' as const, 'down' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('scale' as const), replicas: fc.integer({ min: 0, max: 6 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      action: fc.constantFrom<Action['action']>(
        'abort',
        'pause',
        'resume',
        'promote',
        'promote-full',
        'retry',
        'approve',
        'release',
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('gate' as const), works: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('own' as const),
      owner: fc.constantFrom('lets' as const, 'reverts' as const, 'refuses' as const),
      onUnpinned: fc.constantFrom('Hold' as const, 'Continue' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('evaluator' as const),
      at: fc.integer({ min: 0, max: 1 }),
      is: fc.constantFrom('dead' as const, 'slow' as const, 'well' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('start' as const),
      atATime: fc.constantFrom(1, Number.POSITIVE_INFINITY),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('gateway' as const),
      lagMs: fc.constantFrom(0, 0, 20_000, 100_000, Number.POSITIVE_INFINITY),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('detach' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('lose' as const),
      helper: fc.constantFrom('stable' as const, 'canary' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), after: fc.integer({ min: 0, max: 2 }) }) },
);

let actions = 0;

function happen(model: RolloutModel, what: Happening): void {
  switch (what.kind) {
    case 'push':
      model.push(what.hash);
      return;
    case 'break':
      model.broken.add(what.hash);
      return;
    case 'mend':
      model.broken.delete(what.hash);
      return;
    case 'answer':
      model.answer = () =>
        what.value === 'good'
          ? { kind: 'Value', value: 0 }
          : what.value === 'bad'
            ? { kind: 'Value', value: 1 }
            : what.value === 'empty'
              ? { kind: 'NoEvidence', reason: 'EmptyResult', message: 'no series' }
              : { kind: 'ProviderDown', reason: 'Refused', message: 'refused' };
      return;
    case 'scale':
      model.workload.replicas = what.replicas;
      return;
    case 'ask':
      model.action = { id: `a${actions++}`, action: what.action, by: 'ann' };
      return;
    case 'gate':
      model.gateWorks = what.works;
      return;
    case 'own':
      model.owner = what.owner;
      model.spec.traffic.onUnpinned = what.onUnpinned;
      return;
    case 'evaluator': {
      const evaluator = model.evaluators[what.at];
      if (!evaluator) return;
      if (!evaluator.alive && what.is !== 'dead') evaluator.ran = model.ruleset;
      Object.assign(evaluator, { alive: what.is !== 'dead', slow: what.is === 'slow' });
      return;
    }
    case 'start':
      model.startsAtATime = what.atATime;
      return;
    case 'gateway':
      if (what.lagMs === 0) model.gatewayReturns();
      else model.lagMs = what.lagMs;
      return;
    case 'detach':
      model.policies = undefined;
      return;
    case 'lose':
      if (model.helpers) model.lostHelper = what.helper;
      return;
    case 'crash':
      model.pass(what.after);
      return;
    case 'time':
      for (let i = 0; i < what.seconds; i++) checkedPass(model);
      return;
  }
}

/** The user's own Service selects the canary, so the route names no revision any more. */
const isReturned = ({ stage }: InFlight): boolean => planOf({ stage } as InFlight).kind === 'Original';

/** Users get nothing, although every pod of a former stable revision that shall have them all is available. */
function isStranded(model: RolloutModel): boolean {
  const { status, spec, workload, sets, deleting } = model;
  const flight = status.inFlight;
  if (!flight?.fastRevert || flight.retreat || status.phase === 'Paused' || spec.paused || deleting) return false;
  const whole = workload.replicas > 0 && (sets.get(flight.hash)?.available ?? 0) >= workload.replicas;
  return whole && model.podless().length > 0;
}

/** A pass, with the promises that can be seen from outside checked around it. */
function checkedPass(model: RolloutModel): void {
  model.advance(1000);
  const seen = model.observe();
  const before = model.status;
  if (seen.status.inFlight?.hash !== undefined && before.rolledBack?.hash !== seen.status.inFlight.hash)
    model.condemned.delete(seen.status.inFlight.hash);
  const living = model.evaluators.map(({ alive }) => alive);
  const units = model.canaryUnits();
  const decision = model.pass();
  const after = model.canaryUnits();
  expect(Math.max(...after), 'no unit is on the canary that status does not know of').toBeLessThanOrEqual(
    model.status.inFlight?.weightBp ?? 0,
  );
  const goesOn =
    before.inFlight !== undefined &&
    model.status.inFlight?.startedAt === before.inFlight.startedAt &&
    !model.status.inFlight.retreat &&
    !model.status.inFlight.lowered &&
    !isReturned(model.status.inFlight);
  if (goesOn)
    after.forEach((bp, i) => {
      if (living[i]) expect(bp, 'nobody goes back while the rollout goes on').toBeGreaterThanOrEqual(units[i] ?? 0);
    });
  // Pods that a user has just asked for need a moment.
  model.unservedPasses = model.unserved().length > 0 ? model.unservedPasses + 1 : 0;
  expect(model.unservedPasses, 'no share of traffic goes to a Service without pods').toBeLessThan(3);
  model.strandedPasses = isStranded(model) ? model.strandedPasses + 1 : 0;
  expect(model.strandedPasses, 'users do not wait for a dead stable while a fast revert is whole').toBeLessThan(12);
  const flight = before.inFlight;
  const harmed = seen.guardrails.some(({ status }) => status?.verdict === 'Harm');
  const reaches = seen.routes.some(({ reachesCanary }) => reachesCanary);
  const stableServes = seen.services.stable.ready > 0;
  if (harmed && flight && !flight.retreat && reaches && stableServes && flight.stage !== 'Observing')
    expect(decision.writes[0]?.kind, 'a breach gives a router write first').toBe('Lower');
  const next = decision.status.inFlight;
  const raised = flight && next && next.hash === flight.hash && next.weightBp > flight.weightBp && flight.weightBp > 0;
  const asked =
    flight &&
    (flight.fastRevert || flight.full || (flight.skipTo ?? 0) >= flight.step || flight.approvedStep !== undefined);
  if (raised && !asked && !flight.lowered) expect(harmed, 'a raise never follows harm').toBe(false);
}

const traffic = { service: 'web', router: { gatewayAPI: { httpRoutes: [{ name: 'web' }] } } };

test.each([
  ['requests', traffic],
  ['units', { ...traffic, stickiness: {} }],
])(
  'whatever happens in whatever order, no promise about %s is broken and a calm end is reached',
  (_of, asked) => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(happening, { maxLength: 40 }), (hasFormer, happenings) => {
        const model = new RolloutModel({
          traffic: asked,
          steps: [
            { shadow: { percent: 10 }, hold: '10s' },
            { match: { headers: [{ name: 'x', value: 'y' }] } },
            { weight: 25, hold: '20s' },
            { weight: 50, hold: '20s' },
            { weight: 100, hold: '20s' },
          ],
          progressDeadline: '5m',
        });
        model.evaluators.push({ alive: true, slow: false, ran: { hash: '', bp: 0 } });
        model.run((m) => m.status.reason === 'Healthy');
        // With a former stable revision there are fast reverts.
        if (hasFormer) model.push('v2');
        model.run((m) => m.status.reason === 'Healthy' && m.status.stable?.hash === m.workload.hash);
        for (const what of happenings) happen(model, what);
        // Then all is well for long enough.
        model.broken.clear();
        for (const evaluator of model.evaluators) Object.assign(evaluator, { alive: true, slow: false });
        Object.assign(model, { owner: 'lets', lostPins: 0 });
        model.gatewayReturns();
        model.answer = () => ({ kind: 'Value', value: 0 });
        model.workload.replicas = Math.max(1, model.workload.replicas);
        model.action = { id: `a${actions++}`, action: 'resume', by: 'ann' };
        const calm = (m: RolloutModel) =>
          m.status.inFlight === undefined &&
          ['Healthy', 'RolledBack'].includes(m.status.reason ?? '') === (m.status.phase === 'Healthy') &&
          (m.status.phase === 'Healthy' ? m.status.reason === 'Healthy' : m.status.phase === 'RolledBack');
        for (let i = 0; i < 1500 && !calm(model); i++) checkedPass(model);
        expect(
          [model.status.phase, model.status.reason, model.status.inFlight?.stage, model.status.message],
          'a calm end',
        ).toSatisfy(() => calm(model));
        expect(model.route.plan).toEqual({ kind: 'Original' });
        expect(model.userPin).toBeUndefined();
        expect(model.helpers).toBeUndefined();
        if (model.status.phase === 'Healthy') expect(model.policies).toBeUndefined();
        // Deleted, it leaves nothing.
        model.deleting = true;
        for (let i = 0; i < 500 && model.exists; i++) checkedPass(model);
        expect(model.exists).toBe(false);
        expect(model.record).toBeUndefined();
        expect(model.policies).toBeUndefined();
        expect([...model.sets.values()].every(({ owner }) => owner === 'Deployment')).toBe(true);
      }),
      { numRuns: Number(process.env.SLUICE_RUNS ?? 300) },
    );
  },
  120_000,
);
