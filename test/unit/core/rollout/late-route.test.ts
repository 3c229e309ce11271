import { describe, expect, test } from 'vitest';
import type { Stage } from '../../../../src/api/rollout-status.ts';
import type { WeightBp } from '../../../../src/base/units.ts';
import { RolloutModel } from '../../../support/rollout-model.ts';

const healthy = (model: RolloutModel) => model.status.reason === 'Healthy';
const inStage = (stage: Stage) => (model: RolloutModel) => model.status.inFlight?.stage === stage;
const isHolding = inStage('Holding');

const midway = () => {
  const model = new RolloutModel().run(healthy);
  model.push('v2');
  return model.run(isHolding);
};

/** A raise that was written before all this, and is seen only now. */
const showLateRaise = (model: RolloutModel) => {
  model.route.plan = { kind: 'Split', canaryBp: 2500 as WeightBp };
};

describe('a raise that is seen only later is taken back at once', () => {
  test.each<Stage>(['Lowering', 'Draining', 'PinningStable', 'ScalingDown'])('on the way back, in %s', (stage) => {
    const model = midway();
    model.answer = () => ({ kind: 'Value', value: 1 });
    model.run(inStage(stage));
    showLateRaise(model);
    expect(model.pass().writes[0]).toEqual({ kind: 'Lower', verdict: 'RolledBack' });
    model.run((m) => m.status.phase === 'RolledBack');
  });

  test('on the way to another template, without a word against this one', () => {
    const model = midway();
    model.push('v3');
    model.run(inStage('Draining'));
    showLateRaise(model);
    expect(model.pass().writes[0]).toEqual({ kind: 'Lower', verdict: 'Lowered' });
    model.run((m) => m.status.inFlight?.hash === 'v3' && isHolding(m));
  });

  test('while the canary cannot serve', () => {
    const model = midway();
    model.broken.add('v2');
    model.run(({ status }) => status.inFlight?.lowered !== undefined);
    showLateRaise(model);
    expect(model.pass().writes[0]).toEqual({ kind: 'Lower', verdict: 'Lowered' });
  });

  test('while the Deployment has no replicas, also where it is paused', () => {
    const model = midway();
    model.workload.replicas = 0;
    model.run(({ status }) => status.inFlight?.lowered !== undefined);
    model.spec.paused = true;
    showLateRaise(model);
    expect(model.pass().writes[0]).toEqual({ kind: 'Lower', verdict: 'Lowered' });
  });
});
