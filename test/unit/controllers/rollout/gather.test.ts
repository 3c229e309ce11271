import { expect, test } from 'vitest';
import { encodeRolloutStatus } from '../../../../src/api/parse.ts';
import { rolloutStatusSchema } from '../../../../src/api/rollout-status.ts';
import type { EpochMs } from '../../../../src/base/units.ts';
import { gather } from '../../../../src/controllers/rollout/gather.ts';
import { newMemory } from '../../../../src/controllers/rollout/memory.ts';
import type { CustomObject, Sources } from '../../../../src/controllers/rollout/sources.ts';
import { fullMetric, fullRollout } from '../../../support/manifests.ts';

const NOW = Date.parse('2026-11-01T10:00:00Z') as EpochMs;
const AT = '2026-11-01T09:59:50Z';
const errors = { name: 'errors', verdict: 'NoEvidence', reason: 'BudgetNotSpent', at: AT, outOfBounds: [false, true] };

/** A Rollout that another leader left in the middle of a step. */
function leftInFlight(guardrails: readonly object[]): CustomObject {
  const rollout = fullRollout();
  const status = rolloutStatusSchema.parse({
    phase: 'Progressing',
    stable: { hash: 'v1', since: AT },
    inFlight: {
      hash: 'v2',
      stableHash: 'v1',
      generation: 2,
      startedAt: AT,
      steps: [{ weight: 5, hold: '2m' }],
      step: 0,
      stage: 'Holding',
      stageSince: AT,
      weightBp: 500,
    },
    guardrails,
  });
  return {
    ...rollout,
    metadata: { name: 'catalog', namespace: 'shop', uid: 'u' },
    status: encodeRolloutStatus(status),
  };
}

function sourcesOf(rollout: CustomObject): Sources {
  const nothing = { get: () => undefined, getByKey: () => undefined, byIndex: () => [] };
  const kinds = [
    'deployments',
    'replicaSets',
    'pods',
    'services',
    'endpointSlices',
    'controllerRevisions',
    'httpRoutes',
  ];
  return {
    ...Object.fromEntries([...kinds, 'gateways', 'gatewayClasses', 'autoscalers'].map((kind) => [kind, nothing])),
    rollouts: { ...nothing, getByKey: () => rollout },
    policies: { security: nothing, clientTraffic: nothing, isServed: () => false, isKnown: () => true },
    metrics: { ...nothing, get: fullMetric },
    presetNamespace: 'sluice-system',
    defaultGuardrails: [],
  } as unknown as Sources;
}

const guardrailsAtFirst = (rollout: CustomObject) =>
  gather(sourcesOf(rollout), newMemory(), 'shop/catalog', NOW)?.observed.guardrails.map(({ rule, status }) => [
    rule.guardrail.name,
    status?.outOfBounds,
  ]);

test('a new leader goes on with the budgets that status holds', () => {
  expect(guardrailsAtFirst(leftInFlight([errors]))).toEqual([
    ['errors', [false, true]],
    ['latency', undefined],
  ]);
});

test('a new leader never sees a Rollout in flight without its guardrails, so that time does not count by itself', () => {
  expect(guardrailsAtFirst(leftInFlight([]))).toEqual([
    ['errors', undefined],
    ['latency', undefined],
  ]);
});

test('what is polled wins over status', () => {
  const rollout = leftInFlight([errors]);
  const memory = { ...newMemory(), guardrails: [] };
  expect(gather(sourcesOf(rollout), memory, 'shop/catalog', NOW)?.observed.guardrails).toEqual([]);
});

test('the longest window is known also while nobody is watched', () => {
  const { status: _inFlight, ...idle } = leftInFlight([]);
  const observed = gather(sourcesOf(idle), newMemory(), 'shop/catalog', NOW)?.observed;
  expect([observed?.guardrails, observed?.longestWindowMs]).toEqual([[], 60_000]);
});
