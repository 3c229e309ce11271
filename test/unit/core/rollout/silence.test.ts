import { expect, test } from 'vitest';
import type { SampleAnswer } from '../../../../src/core/guardrails/judge.ts';
import { RolloutModel } from '../../../support/rollout-model.ts';

const MINUTE_MS = 60_000;
const down: SampleAnswer = { kind: 'ProviderDown', reason: 'Refused', message: 'connection refused' };
const empty: SampleAnswer = { kind: 'NoEvidence', reason: 'EmptyResult', message: 'no series' };

/** v2 at 25 %, with a guardrail that says what a long silence of each kind does. */
function atFirstStep(noEvidence: object, providerDown: object = {}): RolloutModel {
  const guardrails = [{ name: 'errors', metric: 'errors', max: 1, noEvidence, providerDown }];
  const model = new RolloutModel({ guardrails }).run((m) => m.status.reason === 'Healthy');
  model.push('v2');
  return model.run((m) => m.status.inFlight?.stage === 'Holding');
}

const during = (model: RolloutModel, minutes: number): RolloutModel => {
  const end = model.now + minutes * MINUTE_MS;
  return model.run((m) => m.now >= end, { stepMs: 10_000 });
};

const rolledBack = (model: RolloutModel) => model.status.phase === 'RolledBack';

test('a provider that was away long does not roll back for the first empty answer after it', () => {
  const model = atFirstStep({ action: 'RollBack' });
  model.answer = () => down;
  during(model, 40);
  model.answer = () => empty;
  during(model, 29);
  expect(model.status.inFlight?.stage).toBe('Holding');
  during(model, 4);
  expect(model.status.rolledBack?.reason).toBe('NoEvidence');
});

test('empty answers do not count towards the rollback that a provider’s absence asks for', () => {
  const model = atFirstStep({}, { action: 'RollBack', after: '10m' });
  model.answer = () => empty;
  during(model, 40);
  model.answer = () => down;
  during(model, 9);
  expect(model.status.inFlight?.stage).toBe('Holding');
  model.run(rolledBack, { stepMs: 10_000, limit: 30 });
});

test('nothing goes on without evidence because the provider was away before', () => {
  const model = atFirstStep({ action: 'Proceed' });
  model.answer = () => down;
  during(model, 40);
  model.answer = () => empty;
  during(model, 29);
  expect(model.status.inFlight).toMatchObject({ step: 0, stage: 'Holding' });
  model.run((m) => m.status.stable?.hash === 'v2', { stepMs: 10_000 });
});

test.each([
  [{}, {}],
  [{ action: 'RollBack' }, { action: 'RollBack' }],
  [{ action: 'RollBack' }, {}],
  [{ action: 'Proceed' }, { action: 'RollBack' }],
])(
  'a person is asked after silence of whatever kind, also where the two take turns: %j %j',
  (noEvidence, providerDown) => {
    const model = atFirstStep(noEvidence, providerDown);
    model.answer = () => (Math.floor(model.now / 10_000) % 2 === 0 ? empty : down);
    during(model, 29);
    expect(model.status.phase).toBe('AwaitingEvidence');
    during(model, 2);
    expect(model.status.phase).toBe('AwaitingApproval');
    during(model, 2);
    expect(model.status.phase).toBe('AwaitingApproval');
  },
);
