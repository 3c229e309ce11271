import { describe, expect, test } from 'vitest';
import { decide } from '../../../../src/core/rollout/decide.ts';
import { RolloutModel } from '../../../support/rollout-model.ts';

const healthy = (model: RolloutModel) => model.status.phase === 'Healthy' && model.status.reason === 'Healthy';
const stable = (hash: string) => (model: RolloutModel) => healthy(model) && model.status.stable?.hash === hash;
const phase = (name: string) => (model: RolloutModel) =>
  model.status.phase === name && model.status.inFlight === undefined;
const weight = (bp: number) => (model: RolloutModel) =>
  model.route.plan.kind === 'Split' && model.route.plan.canaryBp === bp;
const reasons = (model: RolloutModel) => model.told.map(({ reason }) => reason);

/** Everything that was the user's is as it was. */
function expectNothingLeft(model: RolloutModel): void {
  expect(model.route.plan).toEqual({ kind: 'Original' });
  expect(model.route.record).toBeUndefined();
  expect(model.userPin).toBeUndefined();
  expect(model.helpers).toBeUndefined();
  expect([...model.sets.values()].filter(({ owner, marked }) => owner === 'Deployment' && marked)).toEqual([]);
}

describe('a rollout', () => {
  test('goes up step by step and hands the canary set to the Deployment', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    const weights = new Set<number>();
    model.run((m) => {
      if (m.route.plan.kind === 'Split') weights.add(m.route.plan.canaryBp);
      return stable('v2')(m);
    });
    expect([...weights]).toEqual([0, 2500, 5000, 10_000]);
    expect(model.status.stable?.hash).toBe('v2');
    expect(model.sets.get('v2')).toMatchObject({ owner: 'Deployment', desired: 4 });
    // The Deployment takes the pods of v1 away: nobody brings them back.
    expect(model.decisions.flatMap(({ writes }) => writes.map(({ kind }) => kind))).not.toContain('RemakeStable');
    expect(model.workload).toMatchObject({ paused: false, marked: false });
    expectNothingLeft(model);
    expect(model.record).toBeUndefined();
  });

  test('goes back on a breach with the route as the first write, and stays held', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(5000));
    model.answer = () => ({ kind: 'Value', value: 0.5 });
    model.advance(1000);
    expect(model.pass().writes[0]).toMatchObject({ kind: 'Lower', verdict: 'RolledBack' });
    expect(model.route.plan).toEqual({ kind: 'Split', canaryBp: 0 });
    model.run(phase('RolledBack'));
    expect(model.workload).toMatchObject({ hash: 'v2', paused: true, marked: true });
    expectNothingLeft(model);
    model.run((m) => m.now > 1_800_000_600_000 + 3_600_000, { stepMs: 60_000 });
    expect(model.status.phase).toBe('RolledBack');
  });

  test('tries a rolled-back revision again only when a person asks', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(2500));
    model.answer = () => ({ kind: 'Value', value: 0.5 });
    model.run(phase('RolledBack'));
    model.answer = () => ({ kind: 'Value', value: 0 });
    model.action = { id: 'one', action: 'retry', by: 'ann' };
    model.run(stable('v2'));
    expect(model.status.actionIds).toEqual(['one']);
  });

  test('waits one window before it tries again, so that samples from before do not count', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(2500));
    model.answer = () => ({ kind: 'Value', value: 0.5 });
    model.run(phase('RolledBack'));
    model.action = { id: 'one', action: 'retry', by: 'ann' };
    model.pass();
    const notBefore = model.now + 10_000;
    expect(model.status.notBefore).toBe(notBefore);
    model.run((m) => m.status.inFlight !== undefined, { limit: 12 });
    expect(model.status.inFlight?.startedAt).toBe(notBefore);
  });

  test.each(['Unpinning', 'Cleaning'])('leaves the pods of v1 gone when v3 comes in stage %s', (stage) => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run((m) => m.status.inFlight?.stage === stage);
    model.push('v3');
    model.run((m) => m.status.inFlight?.hash === 'v3');
    expect(model.decisions.flatMap(({ writes }) => writes.map(({ kind }) => kind))).not.toContain('RemakeStable');
    model.run(stable('v3'));
  });

  test('starts again from the first step when a new template comes in the middle', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(5000));
    model.push('v3');
    model.run((m) => m.status.inFlight?.hash === 'v3');
    expect(model.status.inFlight?.step).toBe(0);
    expect(model.sets.has('v2')).toBe(false);
    model.run(stable('v3'));
    expectNothingLeft(model);
  });

  test('ends when the stable template returns, without touching stable', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(2500));
    model.push('v1');
    model.run(healthy);
    expect(model.workload).toMatchObject({ hash: 'v1', paused: false, marked: false });
    expect(model.sets.has('v2')).toBe(false);
    expectNothingLeft(model);
    expect(model.record).toBeUndefined();
  });

  test('reverts fast to a former stable revision, and then takes all steps forward again', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(stable('v2'));
    const began = model.now;
    model.push('v1');
    model.run(weight(10_000));
    expect(model.now - began).toBeLessThan(20_000);
    expect(reasons(model)).toContain('FastRevertStarted');
    model.run(stable('v1'));
    model.push('v2');
    model.run((m) => m.status.inFlight?.hash === 'v2');
    expect(model.status.inFlight?.fastRevert).toBe(false);
    model.run(stable('v2'));
  });

  test('keeps a set that it took over for as long as the held template asks for it, whatever is tried', () => {
    const model = new RolloutModel({ fastRevert: { within: '0s' } }).run(healthy);
    model.push('v2');
    model.run(stable('v2'));
    model.push('v1');
    model.answer = () => ({ kind: 'Value', value: 1 });
    for (const id of ['first', 'second']) {
      model.run(phase('RolledBack'));
      expect(model.sets.get('v1')).toMatchObject({ owner: 'Record', desired: 0 });
      model.action = { id, action: 'retry', by: 'ann' };
      model.run((m) => m.status.inFlight !== undefined);
    }
    model.push('v2');
    model.run(healthy);
    expect(model.sets.get('v1')).toMatchObject({ owner: 'Deployment', desired: 0 });
  });

  test.each(['stable', 'canary'] as const)('makes the helper Service of %s again that somebody deleted', (which) => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(2500));
    model.lostHelper = which;
    model.pass();
    expect(model.unserved()).toEqual([]);
    model.run(stable('v2'));
    expectNothingLeft(model);
  });

  test.each(['Preparing', 'TakingRoute', 'Baking'])(
    'leaves a fast revert in stage %s for a third revision, and gives the kept set back',
    (stage) => {
      const model = new RolloutModel().run(healthy);
      model.push('v2');
      model.run(stable('v2'));
      model.push('v1');
      model.run((m) => m.status.inFlight?.stage === stage);
      model.push('v3');
      model.run((m) => m.status.inFlight?.hash === 'v3');
      expect(model.sets.get('v1')).toMatchObject({ owner: 'Deployment', desired: 0 });
      model.run(stable('v3'));
      expectNothingLeft(model);
    },
  );

  test('knows a former stable revision whose set is gone, so that its hash is another', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(stable('v2'));
    model.sets.delete('v1');
    model.push('v1!');
    model.run(stable('v1!'));
    expect(reasons(model)).toContain('FastRevertStarted');
    expect(model.status.promoted.map(({ hash }) => hash)).toEqual(['v2']);
  });

  test('waits for a person at an approve step', () => {
    const model = new RolloutModel({
      steps: [{ weight: 10, hold: '10s' }, { approve: {} }, { weight: 50, hold: '10s' }],
    }).run(healthy);
    model.push('v2');
    model.run((m) => m.status.phase === 'AwaitingApproval');
    expect(model.route.plan).toEqual({ kind: 'Split', canaryBp: 1000 });
    model.run((m) => m.now > model.status.transitions[0]!.at + 600_000, { stepMs: 10_000 });
    expect(model.status.phase).toBe('AwaitingApproval');
    model.action = { id: 'yes', action: 'approve', by: 'ann' };
    model.run(stable('v2'));
    expect(model.status.transitions.some(({ by }) => by === 'ann')).toBe(true);
  });

  test('mirrors only during a shadow step and keeps a match rule until promotion', () => {
    const steps = [
      { shadow: { percent: 10 }, hold: '10s' },
      { match: { headers: [{ name: 'x-team', value: 'shop' }] }, hold: '10s' },
      { weight: 50, hold: '10s' },
    ];
    const model = new RolloutModel({ steps }).run(healthy);
    model.push('v2');
    const plans = new Set<string>();
    model.run((m) => {
      const { plan } = m.route;
      if (plan.kind === 'Split')
        plans.add(
          [plan.canaryBp, plan.shadow && 'shadow', plan.match && 'match'].filter((x) => x !== undefined).join(' '),
        );
      return stable('v2')(m);
    });
    expect([...plans]).toEqual(['0', '0 shadow', '0 match', '5000 match', '10000 match', '10000']);
  });
});

describe('silence', () => {
  test('holds at the present weight, asks a person after its time, and goes on when evidence returns', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(2500));
    model.answer = () => ({ kind: 'ProviderDown', reason: 'Refused', message: 'connection refused' });
    model.run((m) => m.status.phase === 'AwaitingEvidence');
    model.run((m) => m.status.phase === 'AwaitingApproval', { stepMs: 10_000 });
    expect(model.route.plan).toEqual({ kind: 'Split', canaryBp: 2500 });
    expect(reasons(model)).toContain('ProviderDown');
    model.answer = () => ({ kind: 'Value', value: 0 });
    model.run(stable('v2'));
  });

  test('rolls back after its time where the user chose that', () => {
    const guardrails = [
      { name: 'errors', metric: 'errors', max: 1, noEvidence: { action: 'RollBack' as const, after: '5m' } },
    ];
    const model = new RolloutModel({ guardrails }).run(healthy);
    model.push('v2');
    model.run(weight(2500));
    model.answer = () => ({ kind: 'NoEvidence', reason: 'EmptyResult', message: 'no series' });
    model.run(phase('RolledBack'));
    expect(model.status.rolledBack?.reason).toBe('NoEvidence');
  });

  test('never promotes, however long it lasts', () => {
    const model = new RolloutModel().run(healthy);
    model.answer = () => ({ kind: 'NoEvidence', reason: 'EmptyResult', message: 'no series' });
    model.push('v2');
    model.run(weight(2500));
    const start = model.now;
    model.run((m) => m.now > start + 7 * 86_400_000, { stepMs: 600_000 });
    expect(model.route.plan).toEqual({ kind: 'Split', canaryBp: 2500 });
  });
});

describe('pods', () => {
  test('that never become available roll back at the progress deadline, before any traffic', () => {
    const model = new RolloutModel().run(healthy);
    model.broken.add('v2');
    model.push('v2');
    model.run(phase('RolledBack'), { stepMs: 5000 });
    expect(model.status.rolledBack?.reason).toBe('PodsFailing');
    expect(model.decisions.some(({ writes }) => writes.some(({ kind }) => kind === 'Route'))).toBe(false);
  });

  test('that die take their traffic away at once, get it back when ready, and are rolled back the third time', () => {
    const model = new RolloutModel({ steps: [{ weight: 25, hold: '1h' }] }).run(healthy);
    model.push('v2');
    for (const time of [1, 2]) {
      model.run(weight(2500));
      model.broken.add('v2');
      model.advance(10);
      expect(model.pass().writes[0]).toEqual({ kind: 'Lower', verdict: 'Lowered' });
      expect(model.status.inFlight?.loweredCount).toBe(time);
      model.broken.delete('v2');
    }
    model.run(weight(2500));
    model.broken.add('v2');
    model.run(phase('RolledBack'));
    expect(model.status.rolledBack?.reason).toBe('CannotServe');
  });

  test('that die while paused take their traffic away too', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(2500));
    model.spec = { ...model.spec, paused: true };
    model.run((m) => m.status.phase === 'Paused');
    model.broken.add('v2');
    model.advance(10);
    expect(model.pass().writes[0]).toEqual({ kind: 'Lower', verdict: 'Lowered' });
  });

  test('of a dead stable keep the traffic at the canary, unless abort is forced', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(2500));
    model.broken.add('v1');
    model.answer = () => ({ kind: 'Value', value: 1 });
    model.advance(1000);
    model.pass();
    expect(model.route.plan).toEqual({ kind: 'Split', canaryBp: 2500 });
    expect(reasons(model)).toContain('NoStableToReturnTo');
    model.action = { id: 'force', action: 'abort-force', by: 'ann' };
    model.run(weight(0));
  });
});

describe('scaling', () => {
  test('to 0 takes traffic and canary away; back up goes on where it was', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(5000));
    model.workload.replicas = 0;
    model.run((m) => m.sets.get('v2')?.desired === 0);
    expect(model.route.plan).toEqual({ kind: 'Split', canaryBp: 0 });
    expect(model.status.phase).toBe('Paused');
    model.workload.replicas = 4;
    model.sets.get('v1')!.desired = 4;
    model.run(stable('v2'));
  });

  test('to 0 while held, with no history kept, knows the stable template by itself when it returns', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(2500));
    model.answer = () => ({ kind: 'Value', value: 1 });
    model.run(phase('RolledBack'));
    model.workload.replicas = 0;
    model.sets.delete('v1'); // and its hash with it
    model.push('v1!');
    model.run(healthy);
    expect(model.workload).toMatchObject({ hash: 'v1!', paused: false, marked: false });
    expect(model.status.stable).toMatchObject({ hash: 'v1!', digest: 'v1' });
    expect(model.status.promoted).toEqual([]);
    expect(reasons(model)).not.toContain('UngatedUpdate');
    expectNothingLeft(model);
    expect(model.record).toBeUndefined();
  });

  test('up makes the canary follow', () => {
    const model = new RolloutModel({ steps: [{ weight: 50, hold: '1h' }] }).run(healthy);
    model.push('v2');
    model.run(weight(5000));
    model.workload.replicas = 10;
    model.run((m) => m.sets.get('v2')?.desired === 5);
  });
});

describe('deletion', () => {
  test.each(['KeepHeld', 'RestoreStable', 'Release'] as const)(
    'in the middle restores everything, onDelete %s',
    (onDelete) => {
      const model = new RolloutModel({ onDelete }).run(healthy);
      model.push('v2');
      model.run(weight(5000));
      model.deleting = true;
      model.run((m) => !m.exists);
      expectNothingLeft(model);
      expect(model.record).toBeUndefined();
      expect(model.workload.marked).toBe(false);
      expect(model.workload.paused).toBe(onDelete === 'KeepHeld');
      expect(model.workload.hash).toBe(onDelete === 'RestoreStable' ? 'v1' : 'v2');
    },
  );

  test('of a held Deployment that comes back from 0 leaves it with the pods of stable', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(5000));
    model.workload.replicas = 0;
    model.action = { id: 'a1', action: 'abort', by: 'ann' };
    model.run((m) => m.status.phase === 'RolledBack');
    model.workload.replicas = 4;
    model.deleting = true;
    model.run((m) => !m.exists);
    expect(model.workload).toMatchObject({ hash: 'v2', paused: true, marked: false });
    expect(model.sets.get('v1')).toMatchObject({ owner: 'Deployment', desired: 4 });
  });

  test('in the middle of the end of its namespace comes to its end', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(5000));
    model.deleting = true;
    model.orphaned = true;
    model.run((m) => !m.exists);
  });

  test('of a refused Rollout leaves everything to the one that works', () => {
    const model = new RolloutModel().run(healthy);
    const before = { plan: { kind: 'Split' as const, canaryBp: 2500 as never }, acceptedAt: 0 };
    Object.assign(model, { rival: true, helpers: { stable: 'v1', canary: 'v2' }, route: before });
    Object.assign(model.workload, { hash: 'v2', paused: true });
    model.deleting = true;
    model.run((m) => !m.exists);
    expect(model.helpers).toEqual({ stable: 'v1', canary: 'v2' });
    expect(model.workload).toMatchObject({ hash: 'v2', paused: true, label: true });
  });

  test('when healthy leaves the Deployment alone', () => {
    const model = new RolloutModel().run(healthy);
    model.deleting = true;
    model.run((m) => !m.exists);
    expect(model.workload).toMatchObject({ hash: 'v1', paused: false, marked: false, label: false });
  });
});

describe('the gate', () => {
  test('lost in the middle ends with a free Deployment and the user’s own route', () => {
    const model = new RolloutModel().run(healthy);
    model.push('v2');
    model.run(weight(2500));
    model.workload.paused = false;
    model.run(stable('v2'));
    expectNothingLeft(model);
  });

  test('that was away lets an update through, which then becomes stable', () => {
    const model = new RolloutModel().run(healthy);
    model.gateWorks = false;
    model.push('v2');
    model.run(stable('v2'));
    expect(reasons(model)).toContain('UngatedUpdate');
  });
});

test('mode Observe writes nothing and says what it would have done', () => {
  const model = new RolloutModel({ mode: 'Observe' }).run(healthy);
  model.push('v2');
  model.answer = () => ({ kind: 'Value', value: 1 });
  model.run(stable('v2'));
  expect(reasons(model)).toContain('WouldRollBack');
  const kinds = new Set(model.decisions.flatMap(({ writes }) => writes.map(({ kind }) => kind)));
  expect([...kinds]).toEqual(['AddFinalizer']);
});

test('a problem that keeps a rollout from starting is the reason that is shown', () => {
  const model = new RolloutModel().run(healthy);
  model.problems = [{ code: 'SLUICE_ROUTE_NOT_FOUND', message: 'HTTPRoute web does not exist' }];
  model.push('v2');
  model.run((m) => m.status.reason === 'SLUICE_ROUTE_NOT_FOUND');
  expect(model.status.inFlight).toBeUndefined();
  model.problems = [];
  model.run(stable('v2'));
});

test('mode Observe does not say that no guardrail objected before each was asked', () => {
  const model = new RolloutModel({ mode: 'Observe' }).run(healthy);
  model.push('v2');
  model.run((m) => m.status.reason === 'Observing');
  model.advance(3_600_000);
  const seen = model.observe();
  const unasked = { ...seen, guardrails: seen.guardrails.map(({ rule }) => ({ rule })) };
  expect(decide(unasked, model.now).reason).toBe('Observing');
  expect(decide(seen, model.now).reason).toBe('WouldPromote');
});

test.each([
  ['no evidence', { kind: 'NoEvidence', reason: 'EmptyResult', message: 'the query answered nothing' }],
  ['no provider', { kind: 'ProviderDown', reason: 'Refused', message: 'connection refused' }],
] as const)('mode Observe with %s says that it would have held, not that nobody objected', (_, answer) => {
  const model = new RolloutModel({ mode: 'Observe' }).run(healthy);
  model.push('v2');
  model.answer = () => answer;
  model.run(stable('v2'));
  expect(reasons(model)).toContain('WouldHold');
  expect(reasons(model)).not.toContain('WouldPromote');
  const told = model.told.find(({ reason }) => reason === 'WouldHold');
  expect(told?.message).toBe(`v2 runs; it would have waited: guardrail errors: ${answer.message}`);
});

test('mode Observe says that it would have rolled back where silence does so after its time', () => {
  const noEvidence = { action: 'RollBack' as const, after: '10s' };
  const guardrails = [{ name: 'errors', metric: 'errors', max: 1, noEvidence }];
  const model = new RolloutModel({ mode: 'Observe', guardrails }).run(healthy);
  model.push('v2');
  model.answer = () => ({ kind: 'NoEvidence', reason: 'EmptyResult', message: 'the query answered nothing' });
  model.run(stable('v2'));
  expect(reasons(model)).toContain('WouldRollBack');
});

test('mode Observe holds against a breach what its guardrail would do: nothing, or a hold', () => {
  const guardrails = [
    { name: 'seen', metric: 'errors', max: 1, action: 'Observe' as const },
    { name: 'held', metric: 'errors', max: 1, action: 'Hold' as const },
  ];
  const outcome = (bad: string) => {
    const model = new RolloutModel({ mode: 'Observe', guardrails }).run(healthy);
    model.push('v2');
    model.answer = ({ name }) => ({ kind: 'Value', value: name === bad ? 2 : 0 });
    model.run(stable('v2'));
    return reasons(model).filter((reason) => reason.startsWith('Would'));
  };
  expect(outcome('seen')).toEqual(['WouldPromote']);
  expect(outcome('held')).toEqual(['WouldHold']);
});
