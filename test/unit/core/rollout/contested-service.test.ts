import { describe, expect, test } from 'vitest';
import { RolloutModel } from '../../../support/rollout-model.ts';

const healthy = (model: RolloutModel) => model.status.phase === 'Healthy' && model.status.reason === 'Healthy';
const stable = (hash: string) => (model: RolloutModel) => healthy(model) && model.status.stable?.hash === hash;
const weight = (bp: number) => (model: RolloutModel) =>
  model.route.plan.kind === 'Split' && model.route.plan.canaryBp === bp;
const unpinned = (model: RolloutModel) => model.status.reason === 'ServiceUnpinned';
const pinCondition = ({ status }: RolloutModel) => status.conditions.find(({ type }) => type === 'ServicePinned');

const owners = [
  ['reverts', 'Reverted'],
  ['refuses', 'Refused'],
] as const;

describe.each(owners)('a Service whose owner %s our pins', (owner, reason) => {
  /** On its way to v2. */
  const begun = (onUnpinned: 'Hold' | 'Continue') => {
    const model = new RolloutModel().run(healthy);
    model.spec.traffic.onUnpinned = onUnpinned;
    model.owner = owner;
    model.push('v2');
    return model;
  };

  test('is named in its condition, and no weight rises for as long as that lasts', () => {
    const model = begun('Hold').run(unpinned);
    const { plan } = model.route;
    const start = model.now;
    model.run((m) => m.now > start + 3_600_000, { stepMs: 5_000 });
    expect(pinCondition(model)).toMatchObject({ status: 'False', reason });
    expect(model.route.plan).toEqual(plan);
    expect(model.status.phase).toBe('Progressing');
    model.owner = 'lets';
    model.lostPins = 0;
    model.run(stable('v2'));
  });

  test('does not stop a rollout whose user lets it go on: the route goes back only when the old pods are gone', () => {
    const model = begun('Continue').run(weight(10_000));
    model.run((m) => m.sets.get('v2')?.owner === 'Deployment');
    expect(model.route.plan).toEqual({ kind: 'Split', canaryBp: 10_000 });
    model.run(stable('v2'));
    expect(model.route.plan).toEqual({ kind: 'Original' });
    expect(model.userPin).toBeUndefined();
  });

  test('does not stop a rollback', () => {
    const model = begun('Continue').run(weight(2500));
    model.answer = () => ({ kind: 'Value', value: 1 });
    model.run((m) => m.status.phase === 'RolledBack' && m.status.inFlight === undefined);
    expect(model.route.plan).toEqual({ kind: 'Original' });
  });

  test('does not stop a deletion, also while weights wait for it', () => {
    const model = begun('Hold').run(unpinned);
    model.deleting = true;
    model.run((m) => !m.exists);
    expect([model.route.plan, model.helpers, model.record]).toEqual([{ kind: 'Original' }, undefined, undefined]);
  });
});

test('a Service that is kept at stable from the middle on holds the hand-over up: its clients would be left with nobody', () => {
  const model = new RolloutModel().run(healthy);
  model.spec.traffic.onUnpinned = 'Continue';
  model.push('v2');
  model.run(weight(5000));
  model.owner = 'refuses';
  model.run((m) => m.status.inFlight?.stage === 'PinningCanary');
  const start = model.now;
  model.run((m) => m.now > start + 3_600_000, { stepMs: 5_000 });
  expect(model.sets.get('v1')).toMatchObject({ owner: 'Deployment', desired: 4 });
  expect(pinCondition(model)).toMatchObject({ status: 'False', reason: 'Refused' });
  model.owner = 'lets';
  model.run(stable('v2'));
});

test('a pin that happens to stand between two reverts raises no weight', () => {
  const model = new RolloutModel().run(healthy);
  model.push('v2');
  model.run(weight(2500));
  model.lostPins = 2;
  const start = model.now;
  model.run((m) => m.now > start + 3_600_000, { stepMs: 5_000 });
  expect([model.userPin, model.route.plan]).toEqual(['v1', { kind: 'Split', canaryBp: 2500 }]);
  model.lostPins = 0;
  model.run(stable('v2'));
});

test('a Service whose pins are put back only at the promotion is handed over without one', () => {
  const model = new RolloutModel().run(healthy);
  model.push('v2');
  model.run((m) => m.status.inFlight?.stage === 'PinningCanary');
  model.owner = 'reverts';
  model.run((m) => m.sets.get('v2')?.owner === 'Deployment');
  expect(model.route.plan).toEqual({ kind: 'Split', canaryBp: 10_000 });
  model.run(stable('v2'));
});
