import { describe, expect, test } from 'vitest';
import type { RolloutSpecInput } from '../../../../src/api/rollout.ts';
import type { DurationMs } from '../../../../src/base/units.ts';
import { bucketOf } from '../../../../src/core/evaluation/hash.ts';
import { flagOf, perUserOf } from '../../../../src/core/rollout/sticky.ts';
import { flagSchema } from '../../../../src/wire/flag.ts';
import { RolloutModel } from '../../../support/rollout-model.ts';

const traffic: RolloutSpecInput['traffic'] = {
  service: 'web',
  router: { gatewayAPI: { httpRoutes: [{ name: 'web' }] } },
  stickiness: {},
};
const steps: RolloutSpecInput['steps'] = [5, 25, 50, 100].map((weight) => ({ weight, hold: '60s' }));
const started = () => {
  const model = new RolloutModel({ traffic, steps }).run((m) => m.status.reason === 'Healthy');
  model.push('v2');
  return model;
};
const units = (bp: number) => (model: RolloutModel) => model.canaryUnits()[0] === bp;
const trafficProgrammed = ({ status }: RolloutModel) =>
  status.conditions.find(({ type }) => type === 'TrafficProgrammed');

describe('a rollout by units', () => {
  test('moves units, not requests: the route carries no share between 0 and 100 %', () => {
    const model = started();
    const [shares, seen] = [new Set<number>(), new Set<number>()];
    model.run((m) => {
      if (m.route.plan.kind === 'Split') shares.add(m.route.plan.canaryBp);
      seen.add(m.canaryUnits()[0] ?? 0);
      return m.status.stable?.hash === 'v2';
    });
    expect([...shares]).toEqual([0, 10_000]);
    expect([...seen]).toEqual([0, 500, 2500, 5000, 10_000]);
    expect(model.route.plan).toEqual({ kind: 'Original' });
    expect(model.policies).toBeUndefined();
  });

  test('writes status first, lets every evaluator know, and aims the rule of the route last', () => {
    const model = started();
    const slow = { alive: true, slow: true, ran: { hash: '', bp: 0 } };
    model.evaluators.push(slow);
    const order: string[] = [];
    const note = (what: string, holds: boolean) => holds && !order.includes(what) && order.push(what);
    model.run((m) => {
      note('policies', m.policies !== undefined);
      note('status', m.status.inFlight?.weightBp === 500);
      note('ruleset', m.ruleset.bp === 500);
      note(
        'evaluators',
        m.evaluators.every(({ ran }) => ran.bp === 500),
      );
      if (m.status.reason === 'EvaluatorsBehind' && m.now % 20_000 === 0) slow.slow = false;
      note('route', m.route.plan.kind === 'Split' && m.route.plan.perUser !== undefined);
      return order.includes('route');
    });
    expect(order).toEqual(['policies', 'status', 'ruleset', 'evaluators', 'route']);
  });

  test('takes no step up where no evaluator listens, and says what to do', () => {
    const model = started();
    for (const evaluator of model.evaluators) evaluator.alive = false;
    model.run((m) => m.status.reason === 'NoEvaluator');
    const asked = model.status.epoch;
    for (let i = 0; i < 600; i++) {
      model.pass();
      model.advance(1000);
    }
    expect(model.status).toMatchObject({ reason: 'NoEvaluator', epoch: asked, inFlight: { weightBp: 0 } });
    expect(trafficProgrammed(model)).toMatchObject({ status: 'False', reason: 'NoEvaluator' });
    expect(model.status.message).toContain('evaluator.enabled');
  });

  test('counts a hold only while all evaluators run what status says', () => {
    const model = started().run(units(500));
    model.run((m) => (m.status.inFlight?.hold?.doneMs ?? 0) > 20_000);
    for (const evaluator of model.evaluators) evaluator.alive = false;
    model.run((m) => m.status.reason === 'NoEvaluator');
    const done = model.status.inFlight?.hold?.doneMs ?? 0;
    for (let i = 0; i < 300; i++) {
      model.pass();
      model.advance(1000);
    }
    expect(model.status.inFlight).toMatchObject({ weightBp: 500, stage: 'Holding' });
    expect(model.status.inFlight?.hold?.doneMs).toBe(done);
    expect(trafficProgrammed(model)).toMatchObject({ status: 'False', reason: 'NoEvaluator' });
    for (const evaluator of model.evaluators) evaluator.alive = true;
    model.run(units(2500));
  });

  test('goes back on a breach with the route as the first write, whether evaluators listen or not', () => {
    const model = started().run(units(2500));
    for (const evaluator of model.evaluators) evaluator.alive = false;
    model.answer = () => ({ kind: 'Value', value: 0.5 });
    model.advance(1000);
    expect(model.pass().writes[0]).toMatchObject({ kind: 'Lower', verdict: 'RolledBack' });
    for (const evaluator of model.evaluators) evaluator.alive = true;
    expect(model.canaryUnits()).toEqual([0]);
    model.run((m) => m.status.phase === 'RolledBack' && m.status.inFlight === undefined);
    expect(model.policies).toBeUndefined();
    expect(model.ruleset.bp).toBe(0);
  });

  test('goes to 100 % without evaluators when a person asks for all of it', () => {
    const model = started().run(units(500));
    for (const evaluator of model.evaluators) evaluator.alive = false;
    model.run((m) => m.status.reason === 'NoEvaluator');
    model.action = { id: 'full', action: 'promote-full', by: 'ann' };
    model.run((m) => m.status.stable?.hash === 'v2');
  });

  test('keeps its units when the spec changes under way', () => {
    const model = started().run(units(500));
    model.spec = { ...model.spec, traffic: { ...model.spec.traffic, stickiness: undefined } };
    model.run(units(2500));
    expect(model.status.inFlight?.stickiness).toEqual({ unit: [{ cookie: 'sluice-unit' }] });
  });

  test('moves everybody at once on a fast revert, without evaluators', () => {
    const model = started().run((m) => m.status.stable?.hash === 'v2' && m.status.reason === 'Healthy');
    for (const evaluator of model.evaluators) evaluator.alive = false;
    model.push('v1');
    model.run((m) => m.status.stable?.hash === 'v1');
  });
});

describe('the flag of a Rollout', () => {
  const flight = (weightBp: number, hash = 'abc') => ({ hash, weightBp, stickiness: { unit: [{ cookie: 'c' }] } });
  const flag = (weightBp: number, hash?: string) =>
    flagOf({ namespace: 'shop', name: 'web', flight: flight(weightBp, hash) });

  test('can be published', () => {
    for (const weightBp of [0, 1, 500, 9_999, 10_000]) expect(flagSchema.safeParse(flag(weightBp)).success).toBe(true);
  });

  test('admits the first buckets, so that a raise only adds', () => {
    const rangesAt = (weightBp: number) => flag(weightBp).rules[0]?.admissions?.[0]?.ranges;
    expect([500, 2_500, 10_000].map(rangesAt)).toEqual([[[0, 500]], [[0, 2_500]], [[0, 10_000]]]);
  });

  test('is salted by the revision, so that it is not always the same people who go first', () => {
    const saltOf = (hash: string) => flag(500, hash).rules[0]?.admissions?.[0]?.salt ?? '';
    expect(saltOf('abc')).toBe('rollout/shop/web@abc');
    expect(bucketOf(saltOf('abc'), 'ann')).not.toBe(bucketOf(saltOf('def'), 'ann'));
  });

  test('is told apart from that of another revision by the route, which matches on what evaluators make of it', () => {
    const plan = perUserOf({ ...flight(500, 'abc'), steps: [{ weight: 5, hold: 0 as DurationMs }], stage: 'Holding' });
    expect(plan?.match).toEqual({ headers: [{ name: 'x-sluice-revision', value: 'abc', type: 'Exact' }] });
    expect(flag(500, 'abc').rules[0]?.id).toBe('abc');
  });

  test('gives everybody stable with nothing in flight, and in a flight by requests', () => {
    expect(flagOf({ namespace: 'shop', name: 'web', flight: undefined }).rules).toEqual([]);
    expect(flagOf({ namespace: 'shop', name: 'web', flight: { hash: 'abc', weightBp: 500 } }).rules).toEqual([]);
  });
});
