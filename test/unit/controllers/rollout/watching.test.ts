import { describe, expect, onTestFinished, test } from 'vitest';
import { rolloutSpecSchema } from '../../../../src/api/rollout.ts';
import { type RolloutStatus, rolloutStatusSchema } from '../../../../src/api/rollout-status.ts';
import { silent } from '../../../../src/base/logger.ts';
import type { EpochMs } from '../../../../src/base/units.ts';
import { GuardrailPoller } from '../../../../src/controllers/rollout/guardrail-poller.ts';
import { newMemory, type RolloutMemory } from '../../../../src/controllers/rollout/memory.ts';
import { findProblems } from '../../../../src/controllers/rollout/problems.ts';
import type { ProviderPool } from '../../../../src/controllers/rollout/provider-pool.ts';
import type { CustomObject, Sources } from '../../../../src/controllers/rollout/sources.ts';
import { watchOf } from '../../../../src/controllers/rollout/watching.ts';
import { decide } from '../../../../src/core/rollout/decide.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { fullMetric, fullRollout, type Manifest } from '../../../support/manifests.ts';
import { RolloutModel } from '../../../support/rollout-model.ts';

const NOW = Date.parse('2026-11-01T10:00:00Z') as EpochMs;
const AT = '2026-11-01T09:59:50Z';
const rollout = { ...fullRollout(), metadata: { namespace: 'shop', name: 'catalog', uid: 'u' } } as CustomObject;

const specOf = (guardrails: readonly object[]) => rolloutSpecSchema.parse({ ...fullRollout().spec, guardrails });

/** A cluster with one Metric, if any, and pods of these revisions. */
function sourcesOf({ metric, running = [] }: { metric?: Manifest; running?: readonly string[] }): Sources {
  const nothing = { get: () => undefined, byIndex: () => [] };
  const pod = { metadata: { name: 'pod' }, status: { conditions: [{ type: 'Ready', status: 'True' }] } };
  const kinds = ['rollouts', 'deployments', 'services', 'httpRoutes'];
  return {
    ...Object.fromEntries(kinds.map((kind) => [kind, nothing])),
    metrics: { get: () => metric },
    pods: { byIndex: (_: string, key: string) => (running.includes(key.replace('shop/', '')) ? [pod] : []) },
    presetNamespace: 'sluice-system',
    defaultGuardrails: [],
  } as unknown as Sources;
}

const flight = {
  ...{ hash: 'v2', stableHash: 'v1', generation: 2, startedAt: AT, stageSince: AT },
  ...{ step: 0, stage: 'Holding', weightBp: 0 },
  steps: [{ weight: 5, hold: '2m' }],
};
const statusWith = (inFlight: object): RolloutStatus =>
  rolloutStatusSchema.parse({ stable: { hash: 'v1', since: AT }, inFlight: { ...flight, ...inFlight } });

const afterHandOver = rolloutStatusSchema.parse({
  stable: { hash: 'v2', since: AT },
  promoted: [{ hash: 'v1', since: AT, until: AT }],
});

describe('whether stable serves, and so is compared with and asked for', () => {
  const spec = specOf([
    { name: 'errors', metric: 'errors', max: 1 },
    { name: 'stable', metric: 'errors', max: 1, scope: 'Stable' },
  ]);

  test.each<[string, RolloutStatus, readonly string[], boolean]>([
    ['in a shadow step', statusWith({ shadowStep: 0 }), [], true],
    ['in a match step, whoever it matches', statusWith({ matchStep: 0 }), [], true],
    ['below 100 %', statusWith({ weightBp: 9_999 }), [], true],
    ['at 100 %', statusWith({ weightBp: 10_000, matchStep: 0 }), ['v1'], false],
    ['on the way to the hand-over', statusWith({ weightBp: 10_000, stage: 'DrainingRoute' }), ['v1'], false],
    ['after the hand-over', afterHandOver, ['v1'], false],
    ['in mode Observe while the Deployment updates', statusWith({ stage: 'Observing' }), ['v1', 'v2'], true],
    ['in mode Observe after that', statusWith({ stage: 'Observing' }), ['v2'], false],
  ])('%s', (_, status, running, serves) => {
    const sources = sourcesOf({ metric: fullMetric(), running });
    const watch = watchOf(sources, newMemory(), rollout, spec, status, NOW);
    expect(watch?.subject.comparable).toBe(serves);
    expect(watch?.questions.map(({ rule }) => rule.guardrail.name)).toEqual(serves ? ['errors', 'stable'] : ['errors']);
  });
});

describe('a guardrail that can no longer be asked as it stands', () => {
  const good = specOf([{ name: 'errors', metric: 'http-error-ratio', max: 0.01, severity: 'Critical' }]);
  const own = (query: string) => specOf([{ name: 'errors', query: { query }, max: 0.01, severity: 'Critical' }]);
  const status = statusWith({ weightBp: 500 });
  const invalid = { ...fullMetric(), spec: {} };
  const badTemplate = fullMetric();
  badTemplate.spec.provider.prometheus.requestsQuery = 'up{{nonsense}}';

  const asked = (memory: RolloutMemory, spec: typeof good, metric?: Manifest) =>
    watchOf(sourcesOf({ metric }), memory, rollout, spec, status, NOW)?.questions;

  test.each<[string, typeof good, typeof good, Manifest | undefined, string]>([
    ['its Metric was deleted', good, good, undefined, 'SLUICE_METRIC_NOT_FOUND'],
    ['its Metric became invalid', good, good, invalid, 'SLUICE_METRIC_INVALID'],
    ['its Metric has a bad template', good, good, badTemplate, 'SLUICE_QUERY_REFUSED'],
    ['its own query has a bad template', own('up'), own('up{{nonsense}}'), undefined, 'SLUICE_QUERY_REFUSED'],
  ])('goes on as it last could be, and is a problem: %s', (_, before, after, metric, code) => {
    const memory = newMemory();
    const usable = asked(memory, before, fullMetric());
    expect(usable).toHaveLength(1);
    expect(asked(memory, after, metric)).toEqual(usable);
    const problems = findProblems(sourcesOf({ metric }), rollout, after).map((problem) => problem.code);
    expect(problems).toContain(code);
  });

  test('is taken up as it stands when it can be asked again', () => {
    const memory = newMemory();
    asked(memory, own('up'));
    asked(memory, own('up{{nonsense}}'));
    expect(asked(memory, own('down'))?.[0]?.query.query).toBe('down');
  });

  test('ends where it is taken out of the spec, also for a later one of its name', () => {
    const memory = newMemory();
    asked(memory, good, fullMetric());
    expect(asked(memory, specOf([]), fullMetric())).toEqual([]);
    expect(asked(memory, good)).toEqual([]);
  });

  test('takes all traffic from the canary on a breach', async () => {
    const clock = new FakeClock(NOW);
    let value = 0;
    const query = async ({ at }: { at: EpochMs }) => ({
      kind: 'Value',
      value,
      at,
      remarks: { warnings: [], infos: [] },
    });
    const pool = { keyOf: () => 'prometheus', providerOf: async () => ({ query }) } as unknown as ProviderPool;
    const poller = new GuardrailPoller({ clock, logger: silent, pool, sampled: () => {} });
    onTestFinished(() => poller.stop());
    const memory = newMemory();
    const watch = (metric?: Manifest) =>
      poller.watch('shop/catalog', watchOf(sourcesOf({ metric }), memory, rollout, good, status, clock.now()));
    watch(fullMetric());
    await clock.advance(10_000);
    expect(poller.statesOf('shop/catalog')?.[0]?.status).toMatchObject({ verdict: 'Safe' });
    watch(undefined);
    value = 0.5;
    await clock.advance(10_000);
    const guardrails = poller.statesOf('shop/catalog') ?? [];
    expect(guardrails[0]?.status?.verdict).toBe('Harm');
    const model = new RolloutModel().run((one) => one.status.phase === 'Healthy');
    model.push('v2');
    model.run(({ status: { inFlight } }) => inFlight?.stage === 'Holding');
    const problems = findProblems(sourcesOf({}), rollout, good);
    const { writes } = decide({ ...model.observe(), guardrails, problems }, model.now);
    expect(writes[0]).toMatchObject({ kind: 'Lower', verdict: 'RolledBack' });
  });
});
