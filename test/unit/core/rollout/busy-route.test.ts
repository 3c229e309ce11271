import { expect, test } from 'vitest';
import type { Problem } from '../../../../src/core/rollout/observed.ts';
import { RolloutModel } from '../../../support/rollout-model.ts';

const busy: Problem = { code: 'SLUICE_ROUTE_BUSY', message: 'steered by the Rollout basket', passing: true };
const accepted = ({ status }: RolloutModel) => status.conditions.find(({ type }) => type === 'Accepted')?.status;

test('while another Rollout steers the route, a rollout does not begin, and then begins by itself', () => {
  const model = new RolloutModel().run((m) => m.status.reason === 'Healthy');
  model.problems = [busy];
  model.push('v2');
  for (let i = 0; i < 20; i++) {
    model.pass();
    model.advance(60_000);
  }
  expect(model.status).toMatchObject({ reason: busy.code, message: busy.message });
  expect(model.status.inFlight).toBeUndefined();
  expect(model.workload).toMatchObject({ paused: true, marked: true });
  expect(accepted(model)).toBe('True');
  model.problems = [];
  model.run((m) => m.status.stable?.hash === 'v2' && m.status.reason === 'Healthy');
});

test('a rollout that has begun prepares its canary meanwhile, and so its deadline measures pods, not the wait', () => {
  const model = new RolloutModel().run((m) => m.status.reason === 'Healthy');
  model.push('v2');
  model.run((m) => m.status.inFlight?.stage === 'Preparing');
  model.problems = [busy];
  model.run((m) => m.status.inFlight?.stage === 'TakingRoute');
  expect(model.status.inFlight?.unavailableSince).toBeUndefined();
});
