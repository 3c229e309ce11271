import { expect, test } from 'vitest';
import { parseRollout } from '../../../../src/api/parse.ts';
import { findProblems } from '../../../../src/controllers/rollout/problems.ts';
import type { CustomObject, Sources } from '../../../../src/controllers/rollout/sources.ts';
import { fullMetric, fullRollout, type Manifest } from '../../../support/manifests.ts';

const nothing = { get: () => undefined, byIndex: () => [] };

function problemsWith(metric: Manifest): string[] {
  const kinds = ['rollouts', 'deployments', 'services', 'httpRoutes'];
  const sources = {
    ...Object.fromEntries(kinds.map((kind) => [kind, nothing])),
    metrics: { get: () => metric },
    presetNamespace: 'sluice-system',
    defaultGuardrails: [],
  } as unknown as Sources;
  const parsed = parseRollout(fullRollout());
  if (!parsed.ok) throw new Error('the Rollout is valid');
  return findProblems(sources, fullRollout() as CustomObject, parsed.rollout.spec)
    .map(({ code, message }) => `${code} ${message}`)
    .filter((text) => text.startsWith('SLUICE_METRIC'));
}

test('a guardrail whose Metric is not there stops the Rollout', () => {
  expect(problemsWith(undefined)).toEqual([
    'SLUICE_METRIC_NOT_FOUND guardrail errors: Metric http-error-ratio does not exist',
  ]);
});

test('a guardrail whose Metric is invalid stops the Rollout, instead of being left out in silence', () => {
  const metric = fullMetric();
  delete metric.spec.provider.prometheus.query;
  expect(problemsWith(metric)).toEqual([
    expect.stringMatching(
      /^SLUICE_METRIC_INVALID guardrail errors: Metric http-error-ratio: spec\.provider\.prometheus\.query /,
    ),
  ]);
});

test('a guardrail with a good Metric is no problem', () => {
  expect(problemsWith(fullMetric())).toEqual([]);
});
