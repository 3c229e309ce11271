import { describe, expect, test } from 'vitest';
import type { Action } from '../../../../src/api/action.ts';
import type { Stage } from '../../../../src/api/rollout-status.ts';
import { RolloutModel } from '../../../support/rollout-model.ts';

const healthy = (model: RolloutModel) => model.status.phase === 'Healthy' && model.status.reason === 'Healthy';
const stable = (hash: string) => (model: RolloutModel) => healthy(model) && model.status.stable?.hash === hash;
const stage = (name: Stage) => (model: RolloutModel) => model.status.inFlight?.stage === name;
const asks = (model: RolloutModel) => model.status.phase === 'AwaitingApproval';

let asked = 0;
function ask(model: RolloutModel, action: Action['action']): void {
  model.action = { id: `ask-${asked++}`, action, by: 'ann' };
  model.pass();
}

/** v2 in the bake, which has just begun. */
function baking(spec: ConstructorParameters<typeof RolloutModel>[0] = {}): RolloutModel {
  const model = new RolloutModel(spec).run(healthy);
  model.push('v2');
  return model.run(stage('Baking'));
}

function silence(model: RolloutModel): RolloutModel {
  model.answer = () => ({ kind: 'NoEvidence', reason: 'EmptyResult', message: 'no series' });
  return model;
}

describe('a bake without evidence', () => {
  test('asks a person, and an approval promotes', () => {
    const model = silence(baking()).run(asks, { stepMs: 10_000 });
    expect(model.status.message).toContain('`approve` goes on without evidence');
    ask(model, 'approve');
    model.run(stable('v2'), { limit: 120 });
  });

  test('does not go on without the canary at full size, whatever a person approved', () => {
    const model = silence(baking()).run(asks, { stepMs: 10_000 });
    Object.assign(model.sets.get('v2') ?? {}, { available: 3 });
    ask(model, 'approve');
    model.pass();
    expect([model.status.inFlight?.stage, model.status.reason]).toEqual(['Baking', 'CanaryNotAvailable']);
    model.run(stable('v2'), { limit: 200 });
  });

  test('still goes back on a breach after an approval', () => {
    const model = silence(baking()).run(asks, { stepMs: 10_000 });
    ask(model, 'approve');
    model.answer = () => ({ kind: 'Value', value: 1 });
    model.run((m) => m.status.phase === 'RolledBack');
  });

  test('asks anew where the canary failed between an approval and the promotion', () => {
    const model = silence(baking()).run(asks, { stepMs: 10_000 });
    Object.assign(model.sets.get('v2') ?? {}, { available: 3 });
    ask(model, 'approve');
    model.broken.add('v2');
    model.run((m) => m.status.inFlight?.lowered !== undefined, { limit: 4 });
    model.broken.delete('v2');
    model.run(stage('Baking'), { limit: 30 });
    model.run(asks, { stepMs: 10_000 });
    expect(model.status.inFlight?.stage).toBe('Baking');
  });

  test('asks anew after an approval of a silent last step, for one approval is for one question', () => {
    const model = new RolloutModel({ steps: [{ weight: 100, hold: '60s' }] }).run(healthy);
    model.push('v2');
    model.run(stage('Holding'));
    silence(model).run(asks, { stepMs: 10_000 });
    ask(model, 'approve');
    model.run((m) => stage('Baking')(m) && asks(m), { limit: 5 });
    ask(model, 'approve');
    model.run(stable('v2'), { limit: 120 });
  });
});

describe('in the bake', () => {
  test('promote passes what is left of it', () => {
    const model = baking({ bake: '1h' });
    ask(model, 'promote');
    model.run(stable('v2'), { limit: 120 });
  });

  test('promote --full changes nothing: it passes steps, and the bake stays', () => {
    const model = baking({ bake: '1h' });
    const began = model.now;
    ask(model, 'promote-full');
    model.run(stable('v2'), { stepMs: 5000 });
    expect(model.now - began).toBeGreaterThan(3_600_000);
  });

  test.each(['Scaling', 'Routing'] as const)('promote asked on the way to it, in %s, passes none of it', (on) => {
    const model = new RolloutModel({ bake: '1h', steps: [{ weight: 25 }, { weight: 50 }] }).run(healthy);
    model.push('v2');
    model.run((m) => m.status.inFlight?.step === 2 && stage(on)(m));
    ask(model, 'promote');
    model.run(stage('Baking'));
    const began = model.now;
    model.run(stable('v2'), { stepMs: 5000 });
    expect(model.now - began).toBeGreaterThan(3_500_000);
  });

  test('promote asked in a step before passes no bake', () => {
    const model = new RolloutModel({ bake: '1h' }).run(healthy);
    model.push('v2');
    model.run(stage('Holding'));
    ask(model, 'promote');
    model.run(stage('Baking'));
    const began = model.now;
    model.run(stable('v2'), { stepMs: 5000 });
    expect(model.now - began).toBeGreaterThan(3_500_000);
  });
});
