import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RolloutModel } from '../../../support/rollout-model.ts';

const healthy = (model: RolloutModel) => model.status.phase === 'Healthy' && model.status.reason === 'Healthy';
const stable = (hash: string) => (model: RolloutModel) => healthy(model) && model.status.stable?.hash === hash;
const reasons = (model: RolloutModel) => model.told.map(({ reason }) => reason);

describe('pods that take their time to start', () => {
  const slow = (replicas: number, weights = [1, 5, 25]) => {
    const model = new RolloutModel({
      steps: weights.map((weight) => ({ weight, hold: '60s' })),
      progressDeadline: '1h',
    });
    model.workload.replicas = replicas;
    model.run(stable('v1'));
    model.push('v2');
    model.startsAtATime = 1;
    return model;
  };

  test('are no harm, however many a step asks for: those of the step before still serve', () => {
    const model = slow(100).run(stable('v2'), { limit: 5_000 });
    expect(reasons(model)).not.toContain('CanaryCannotServe');
  });

  test('are no harm where an autoscaler asks for three times as many in the middle of the bake', () => {
    const model = slow(10).run(({ status }) => status.inFlight?.stage === 'Baking', { limit: 5_000 });
    model.workload.replicas = 30;
    model.run(stable('v2'), { limit: 5_000 });
    expect(reasons(model)).not.toContain('CanaryCannotServe');
  });

  test('do not hide that pods which had served are gone', () => {
    const model = slow(100);
    model.run(({ status }) => status.inFlight?.stage === 'Scaling' && status.inFlight.step === 3, { limit: 5_000 });
    model.broken.add('v2');
    model.run(({ status }) => status.inFlight?.lowered !== undefined, { limit: 5 });
    expect(reasons(model)).toContain('CanaryCannotServe');
  });

  test.each([
    ['spec.paused', (model: RolloutModel, is: boolean) => Object.assign(model.spec, { paused: is })],
    [
      'a spec that cannot be used',
      (model: RolloutModel, is: boolean) => {
        model.problems = is ? [{ code: 'SLUICE_METRIC_INVALID', message: 'm' }] : [];
      },
    ],
  ])('are waited for anew after %s, however long that was', (_, keep) => {
    const model = slow(10);
    model.run(({ status }) => status.inFlight?.stage === 'Preparing');
    keep(model, true);
    model.run(({ now }) => now > 1_800_000_000_000 + 3 * 3_600_000, { stepMs: 60_000 });
    keep(model, false);
    model.run(stable('v2'), { limit: 5_000 });
    expect(reasons(model)).not.toContain('RollingBack');
  });

  test('are no harm, whatever the steps are and however the size changes meanwhile', () => {
    const size = fc.integer({ min: 1, max: 60 });
    const weights = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 5 });
    const changes = fc.array(fc.record({ afterS: fc.integer({ min: 1, max: 120 }), size }), { maxLength: 6 });
    const goes = (replicas: number, climbed: number[], sizes: { afterS: number; size: number }[]) => {
      const model = slow(
        replicas,
        climbed.toSorted((a, b) => a - b),
      );
      for (const { afterS, size } of sizes) {
        const until = model.now + afterS * 1_000;
        model.run(({ now }) => now >= until);
        model.workload.replicas = size;
      }
      model.run(stable('v2'), { limit: 5_000 });
      expect(reasons(model)).not.toContain('CanaryCannotServe');
    };
    fc.assert(fc.property(size, weights, changes, goes), { numRuns: Number(process.env.SLUICE_RUNS ?? 200) });
  });
});
