import { describe, expect, test } from 'vitest';
import type { Stage } from '../../../../src/api/rollout-status.ts';
import { RolloutModel } from '../../../support/rollout-model.ts';

const healthy = (model: RolloutModel) => model.status.phase === 'Healthy' && model.status.reason === 'Healthy';
const stable = (hash: string) => (model: RolloutModel) => healthy(model) && model.status.stable?.hash === hash;
const stage = (name: Stage) => (model: RolloutModel) => model.status.inFlight?.stage === name;
const weight = (bp: number) => (model: RolloutModel) =>
  model.route.plan.kind === 'Split' && model.route.plan.canaryBp === bp;
const reason = (name: string) => (model: RolloutModel) => model.status.reason === name;
const told = (model: RolloutModel, name: string) => model.told.filter((one) => one.reason === name).length;
const reasonsOf = (model: RolloutModel) => model.told.map((one) => one.reason);
const pins = (model: RolloutModel) =>
  model.decisions.flatMap(({ writes }) => writes.flatMap((write) => (write.kind === 'PinService' ? [write.hash] : [])));

/** Its pods are not ready any more. */
function die(model: RolloutModel, hash: string): void {
  model.broken.add(hash);
  model.advance(1000);
}

function soon(model: RolloutModel, ms: number): RolloutModel {
  const end = model.now + ms;
  return model.run((m) => m.now >= end, { stepMs: Math.max(1000, ms / 100) });
}

function expectNothingLeft(model: RolloutModel): void {
  expect(model.route.plan).toEqual({ kind: 'Original' });
  expect([model.userPin, model.helpers, model.record, model.route.record]).toEqual(Array(4).fill(undefined));
}

/** v2 is stable and v1 was before it. */
function promoted(spec: ConstructorParameters<typeof RolloutModel>[0] = {}): RolloutModel {
  const model = new RolloutModel(spec).run(healthy);
  model.push('v2');
  model.run(stable('v2'));
  model.told.length = 0;
  model.decisions.length = 0;
  return model;
}

describe('a fast revert from a stable without ready pods', () => {
  test('lets its pods serve as soon as they are ready, and goes on to the hand-over', () => {
    const model = promoted();
    die(model, 'v2');
    model.push('v1');
    model.run((m) => m.podless().length === 0, { limit: 6 });
    model.run(
      (m) => {
        expect(m.podless()).toEqual([]);
        return stable('v1')(m);
      },
      { limit: 60 },
    );
    expect(pins(model)).not.toContain('v2');
    expect(told(model, 'LeavingStable')).toBe(1);
    expectNothingLeft(model);
  });

  test('keeps its pods with the users when pods of stable come and go', () => {
    const model = promoted();
    die(model, 'v2');
    model.push('v1');
    model.run((m) => m.podless().length === 0);
    const { available } = model.sets.get('v1') as { available: number };
    expect(available).toBe(4);
    model.broken.clear();
    soon(model, 1_000);
    model.run(stable('v1'), { limit: 60 });
    expect(pins(model)).not.toContain('v2');
  });

  test('whose own pods are not ready either serves with whichever come first', () => {
    const model = promoted();
    die(model, 'v1');
    die(model, 'v2');
    model.push('v1');
    soon(model, 60_000);
    expect(model.userPin).toBeUndefined();
    model.broken.delete('v2');
    soon(model, 5_000);
    expect(model.podless()).toEqual([]);
    expect(model.userPin).toBeUndefined(); // so that those of the other are not left out
    model.broken.delete('v1');
    model.run(stable('v1'));
  });

  test('that lost them under way opens the Service to whichever pods come first', () => {
    const model = promoted();
    die(model, 'v1');
    model.push('v1');
    model.run((m) => m.status.reason === 'CanaryNotAvailable' && m.userPin === 'v2');
    die(model, 'v2');
    model.run((m) => m.userPin === undefined, { limit: 3 });
    model.broken.clear();
    model.run(stable('v1'));
  });

  test('gets its traffic back after pods of both were gone', () => {
    const model = promoted();
    model.push('v1');
    model.run(weight(10_000));
    die(model, 'v1');
    die(model, 'v2');
    model.run((m) => m.status.inFlight?.lowered !== undefined);
    soon(model, 30_000);
    model.broken.delete('v1');
    model.run((m) => m.podless().length === 0, { limit: 12 });
    expect(model.status.inFlight?.lowered).toBeUndefined(); // else nobody would look at its pods any more
    model.run(stable('v1'), { limit: 60 });
    expect(reasonsOf(model)).not.toContain('RolledBack');
  });

  test.each<Stage>(['Preparing', 'SettlingEndpoints', 'TakingRoute', 'Scaling', 'Routing'])(
    'that lost them in stage %s reaches the users within seconds',
    (at) => {
      const model = promoted();
      model.push('v1');
      model.run((m) => stage(at)(m) && m.userPin === 'v2');
      die(model, 'v2');
      model.run((m) => m.sets.get('v2')?.available === 0 && m.podless().length === 0, { limit: 12 });
      model.run(
        (m) => {
          expect(m.podless()).toEqual([]);
          return stable('v1')(m);
        },
        { limit: 60 },
      );
      expectNothingLeft(model);
    },
  );

  test('needs no pin where the Service is not to be pinned', () => {
    const model = promoted();
    model.spec.traffic.pinService = false;
    model.push('v1');
    model.run(stage('Scaling'));
    die(model, 'v2');
    soon(model, 5_000);
    expect(model.podless()).toEqual([]);
    model.run(stable('v1'), { limit: 60 });
    expectNothingLeft(model);
  });

  test.each(['reverts', 'refuses'] as const)('ends with a Service whose owner %s pins', (owner) => {
    const model = promoted();
    die(model, 'v2');
    model.owner = owner;
    model.push('v1');
    model.run(stable('v1'), { limit: 100 });
    expectNothingLeft(model);
  });

  test('is not taken back to nobody by a breach or an abort, unless that is forced', () => {
    const model = promoted();
    die(model, 'v2');
    model.push('v1');
    model.run(stage('DrainingRoute'));
    model.answer = () => ({ kind: 'Value', value: 1 });
    soon(model, 60_000);
    expect(model.podless()).toEqual([]);
    expect(told(model, 'NoStableToReturnTo')).toBe(1);
    model.answer = () => ({ kind: 'Value', value: 0 });
    model.action = { id: 'one', action: 'abort', by: 'ann' };
    soon(model, 60_000);
    expect(model.podless()).toEqual([]);
    model.action = { id: 'two', action: 'abort-force', by: 'ann' };
    model.run((m) => m.status.phase === 'RolledBack');
  });

  test('waits for a person who paused it', () => {
    const model = promoted();
    die(model, 'v2');
    model.spec = { ...model.spec, paused: true };
    model.push('v1');
    soon(model, 300_000);
    expect(model.status).toMatchObject({ phase: 'Paused', inFlight: { stage: 'Preparing' } });
    model.spec = { ...model.spec, paused: false };
    model.run(stable('v1'));
  });

  test('waits for a person who paused it while the route was to be raised', () => {
    const model = promoted();
    model.push('v1');
    model.run(stage('Routing'));
    die(model, 'v2');
    model.spec = { ...model.spec, paused: true };
    soon(model, 300_000);
    expect(model.status.inFlight?.stage).toBe('Routing');
    model.spec = { ...model.spec, paused: false };
    model.run(stable('v1'), { limit: 60 });
  });
});

describe('a rollout while stable has no ready pod', () => {
  const waits = () => {
    const model = promoted();
    die(model, 'v2');
    model.push('v3');
    return model.run(reason('StableDown'));
  };

  test('raises nothing, and tells once what a person can do', () => {
    const model = waits();
    soon(model, 3_600_000);
    expect(model.route.plan).toEqual({ kind: 'Original' });
    expect(model.userPin).toBe('v2');
    expect(told(model, 'StableDown')).toBe(1);
    expect(model.status.message).toMatch(/promote --full/);
    expect(model.status.conditions.find(({ type }) => type === 'Progressing')).toMatchObject({ reason: 'StableDown' });
    model.broken.clear();
    model.run(stable('v3'));
    expect(model.status.transitions.map(({ message }) => message).join()).toContain('step 1/2');
  });

  test('gives everybody to a whole canary where a person asks for that', () => {
    const model = waits();
    model.action = { id: 'all', action: 'promote-full', by: 'ann' };
    model.run((m) => m.podless().length === 0, { limit: 6 });
    model.run(
      (m) => {
        expect(m.podless()).toEqual([]);
        return stable('v3')(m);
      },
      { limit: 60 },
    );
    expect(model.status.transitions.some(({ by }) => by === 'ann')).toBe(true);
    expectNothingLeft(model);
  });

  test('that comes back on the way to 100 % is left by the usual way', () => {
    const model = promoted();
    model.push('v3');
    model.run(stage('Routing'));
    die(model, 'v2');
    model.run(reason('StableDown'));
    model.action = { id: 'all', action: 'promote-full', by: 'ann' };
    model.run((m) => m.status.inFlight?.step === 2, { limit: 6 });
    model.broken.clear();
    model.advance(0);
    model.run(stage('Baking'));
    expect(model.route.plan).toEqual({ kind: 'Split', canaryBp: 10_000 });
    model.run(stable('v3'));
  });

  test('goes back to a former revision without its steps', () => {
    const model = waits();
    model.push('v1');
    model.run((m) => m.status.inFlight?.hash === 'v1', { limit: 60 });
    model.run((m) => m.podless().length === 0, { limit: 6 });
    model.run(stable('v1'), { limit: 100 });
  });

  test('lets the Deployment update by itself where a person asks for that', () => {
    const model = waits();
    model.action = { id: 'go', action: 'release', by: 'ann' };
    model.run((m) => stable('v3')(m));
    expectNothingLeft(model);
  });

  test.each<Stage>(['SettlingEndpoints', 'TakingRoute', 'Scaling', 'Routing', 'Holding', 'Baking'])(
    'from stage %s on says so, and gives everybody to the canary where a person asks for that',
    (at) => {
      const steps = [
        { match: { headers: [{ name: 'x-team', value: 'shop' }] }, hold: '10s' },
        { weight: 25, hold: '10s' },
      ];
      const model = promoted({ steps });
      model.push('v3');
      const late = at === 'Scaling' || at === 'Routing' || at === 'Holding';
      model.run((m) => stage(at)(m) && (!late || m.status.inFlight?.step === 1));
      die(model, 'v2');
      model.run(reason('StableDown'), { limit: 12 });
      const { plan } = model.route;
      soon(model, 3_600_000);
      expect(model.route.plan).toEqual(plan);
      expect(told(model, 'StableDown')).toBe(1);
      model.action = { id: 'all', action: 'promote-full', by: 'ann' };
      model.run((m) => m.podless().length === 0, { limit: 12 });
      model.run(stable('v3'), { limit: 60 });
      expectNothingLeft(model);
    },
  );
});

test('a promotion whose stable died is not taken back to nobody on the way to the hand-over', () => {
  const model = promoted();
  model.push('v3');
  model.run(stage('DrainingRoute'));
  die(model, 'v2');
  model.answer = () => ({ kind: 'Value', value: 1 });
  soon(model, 60_000);
  expect(model.podless()).toEqual([]);
  expect(told(model, 'NoStableToReturnTo')).toBe(1);
  model.answer = () => ({ kind: 'Value', value: 0 });
  model.run(stable('v3'));
});

test('a promotion is not handed over with traffic at a Service without pods', () => {
  const model = promoted();
  die(model, 'v2');
  model.push('v1');
  model.run(stage('PinningCanary'));
  die(model, 'v1');
  model.run((m) => m.status.phase === 'RolledBack');
  expect(model.status.rolledBack?.reason).toBe('CannotServe');
  expect(weight(10_000)(model)).toBe(false);
});

const nothing = { kind: 'NoEvidence', reason: 'EmptyResult', message: 'no series' } as const;
const full = { id: 'all', action: 'promote-full', by: 'ann' } as const;

describe('nobody is taken from a canary that serves to a stable that does not', () => {
  /** v2 is at half, v1 dies. */
  function halfway(spec: ConstructorParameters<typeof RolloutModel>[0] = {}): RolloutModel {
    const model = new RolloutModel(spec).run(healthy);
    model.push('v2');
    model.run((m) => weight(5_000)(m) && stage('Holding')(m));
    die(model, 'v1');
    return model;
  }

  test('where pods for the rest find no room until the deadline', () => {
    const model = halfway();
    model.startsAtATime = 0;
    model.action = full;
    soon(model, 3_600_000);
    expect(weight(5_000)(model)).toBe(true);
    expect(told(model, 'NoStableToReturnTo')).toBe(1);
    model.startsAtATime = 1;
    model.run(stable('v2'), { limit: 100 });
  });

  test('where silence lasts too long', () => {
    const noEvidence = { action: 'RollBack' as const, after: '5m' };
    const model = halfway({ guardrails: [{ name: 'errors', metric: 'errors', max: 1, noEvidence }] });
    model.answer = () => nothing;
    soon(model, 3_600_000);
    expect(weight(5_000)(model)).toBe(true);
    expect(reasonsOf(model)).not.toContain('RollingBack');
  });

  test('where guardrails that need stable say nothing, and a person goes on', () => {
    const model = halfway();
    model.answer = () => nothing;
    soon(model, 10_000);
    model.action = full;
    model.run(stable('v2'), { limit: 100 });
  });
});

test('a fast revert from a dead stable does not wait for the route that another Rollout steers', () => {
  const model = promoted();
  die(model, 'v2');
  model.problems = [{ code: 'SLUICE_ROUTE_BUSY', message: 'steered by another', passing: true }];
  model.push('v1');
  model.run(stable('v1'), { limit: 60 });
});

test('a fast revert that is tried again begins as any other while stable serves', () => {
  const model = promoted();
  model.push('v1');
  model.run(weight(10_000));
  model.answer = () => ({ kind: 'Value', value: 1 });
  model.run((m) => m.status.phase === 'RolledBack' && m.status.inFlight === undefined);
  model.answer = () => ({ kind: 'Value', value: 0 });
  model.decisions.length = 0;
  model.action = { id: 'yes', action: 'retry', by: 'ann' };
  model.run(stable('v1'));
  expect(pins(model)).toContain('v2');
  expect(reasonsOf(model)).not.toContain('LeavingStable');
});
