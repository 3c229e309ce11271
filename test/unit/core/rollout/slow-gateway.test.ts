import { describe, expect, test } from 'vitest';
import type { Stage } from '../../../../src/api/rollout-status.ts';
import { GATEWAY_PATIENCE_MS } from '../../../../src/core/rollout/route-plan.ts';
import { RolloutModel } from '../../../support/rollout-model.ts';

const DRAIN_MS = 30_000;
/** How long the chart's uninstall waits for Rollouts (values.yaml: uninstall.timeoutSeconds, less 15 s). */
const UNINSTALL_MS = 255_000;
const healthy = (model: RolloutModel) => model.status.reason === 'Healthy';
const inStage = (stage: Stage) => (model: RolloutModel) => model.status.inFlight?.stage === stage;
const rolledBack = (model: RolloutModel) => model.status.phase === 'RolledBack';
const harm = () => ({ kind: 'Value', value: 1 }) as const;

/** Holding at the first weight, before a gateway that gets slow. */
function midway(lagMs: number): RolloutModel {
  const model = new RolloutModel().run(healthy);
  model.push('v2');
  model.run(inStage('Holding'));
  model.lagMs = lagMs;
  return model;
}

const lowered = (model: RolloutModel) => model.decisions.at(-1)?.writes[0]?.kind === 'Lower';
const withoutPods = (model: RolloutModel) => (model.sets.get('v2')?.desired ?? 0) === 0;

describe('a gateway that takes in changes late', () => {
  test('makes a step wait: its hold counts from then on', () => {
    const model = midway(90_000);
    model.run(inStage('Routing'));
    const raised = model.run((m) => m.status.reason === 'Settling').now;
    model.run(inStage('Holding'));
    expect(model.now - raised).toBeGreaterThanOrEqual(90_000);
    expect(model.sentBy).toMatchObject({ canaryBp: 5000 });
  });

  test('is lowered at once all the same, and keeps the canary’s pods until it no longer sends to them', () => {
    const model = midway(60_000);
    model.answer = harm;
    model.run(lowered);
    expect(inStage('Lowering')(model)).toBe(true);
    const began = model.now;
    model.run(withoutPods);
    expect(model.sentBy).toMatchObject({ canaryBp: 0 });
    expect(model.now - began).toBeGreaterThanOrEqual(60_000 + DRAIN_MS);
    model.run(rolledBack);
    expect(model.sentBy).toEqual({ kind: 'Original' });
  });

  test('is what the status speaks of, and the condition', () => {
    const model = midway(60_000);
    model.answer = harm;
    model.run((m) => inStage('ScalingDown')(m) && m.status.reason === 'NotObserved');
    expect(model.status.message).toBe('HTTPRoute web: is not taken in yet');
    expect(model.status.conditions.find(({ type }) => type === 'TrafficProgrammed')).toMatchObject({ status: 'False' });
  });

  test('of others, every 5 s, makes a rollout slower, and no more', () => {
    const model = midway(0);
    for (let i = 0; i < 3000 && model.status.stable?.hash !== 'v2'; i++) {
      if (i % 5 === 0) model.route.acceptedAt = model.now + 1500;
      model.pass();
      model.advance(1000);
    }
    expect(model.status.stable?.hash).toBe('v2');
  });

  test('keeps the old pods until it no longer sends to them', () => {
    const model = midway(0);
    model.run(inStage('PinningCanary'));
    model.lagMs = 40_000;
    model.run(inStage('DrainingRoute'));
    expect(model.sentBy).toEqual({ kind: 'Original' });
    model.run((m) => m.status.stable?.hash === 'v2' && healthy(m));
  });
});

describe('a gateway that is gone', () => {
  test('neither keeps a bad canary’s pods for ever, nor the rollback from its end', () => {
    const model = midway(Number.POSITIVE_INFINITY);
    model.answer = harm;
    model.run(lowered);
    const began = model.now;
    model.run(withoutPods);
    expect(model.now - began).toBeLessThan(GATEWAY_PATIENCE_MS + 2 * DRAIN_MS);
    model.run(rolledBack);
    expect(model.now - began).toBeLessThan(2 * GATEWAY_PATIENCE_MS + 2 * DRAIN_MS);
  });

  test('does not keep a Rollout from being deleted, for longer than an uninstall waits', () => {
    const model = midway(Number.POSITIVE_INFINITY);
    model.deleting = true;
    const began = model.now;
    model.run((m) => !m.exists, { limit: 400 });
    expect(model.now - began).toBeLessThan(UNINSTALL_MS);
  });

  test('keeps the next weight from counting, until a person ends it', () => {
    const model = midway(Number.POSITIVE_INFINITY);
    model.run(inStage('Routing'));
    for (let i = 0; i < 3600; i++) {
      model.pass();
      model.advance(1000);
    }
    expect(inStage('Routing')(model)).toBe(true);
    model.action = { id: 'enough', action: 'abort', by: 'ann' };
    model.run(rolledBack, { limit: 400 });
  });
});
