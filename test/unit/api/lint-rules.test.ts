import { expect, test } from 'vitest';
import { lintMetric, lintRollout } from '../../../src/api/lint-rules.ts';
import { parseMetric, parseRollout } from '../../../src/api/parse.ts';
import { fullMetric, fullRollout, type Manifest, manifestsIn } from '../../support/manifests.ts';

const catalogue = new Map(manifestsIn('examples/metrics').map(([, manifest]) => [manifest.metadata.name, manifest]));

test.each(manifestsIn('examples/rollouts'))('%s leaves no doubt', (_, manifest) => {
  expect(lint(manifest)).toEqual([]);
});

test.each(manifestsIn('examples/metrics'))('%s leaves no doubt', (_, manifest) => {
  expect(lintMetric(metric(manifest))).toEqual([]);
});

test.each<[string, string, string, (spec: Manifest) => void]>([
  ['no guardrails', 'SLUICE_LINT_NO_GUARDRAILS', 'spec.guardrails', (spec) => delete spec.guardrails],
  [
    'a window that holds one scrape',
    'SLUICE_LINT_WINDOW_TOO_SHORT',
    'spec.guardrails[1].window',
    (spec) => (spec.guardrails[1].window = '29s'),
  ],
  [
    'a window that holds one scrape of its Metric',
    'SLUICE_LINT_WINDOW_TOO_SHORT',
    'spec.guardrails[0].window',
    (spec) => (spec.guardrails[0].window = '29s'),
  ],
  [
    'a hold shorter than the default window',
    'SLUICE_LINT_HOLD_SHORTER_THAN_WINDOW',
    'spec.steps[2].hold',
    (spec) => (spec.steps[2].hold = '59s'),
  ],
  [
    'a hold shorter than the window of a guardrail',
    'SLUICE_LINT_HOLD_SHORTER_THAN_WINDOW',
    'spec.steps[0].hold',
    (spec) => {
      spec.guardrails[1].window = '3m';
      for (const step of spec.steps.slice(1)) delete step.hold;
    },
  ],
  [
    'an interval longer than the window',
    'SLUICE_LINT_INTERVAL_LONGER_THAN_WINDOW',
    'spec.guardrails[0].interval',
    (spec) => (spec.guardrails[0].interval = '61s'),
  ],
  [
    'a last weight below 100',
    'SLUICE_LINT_LAST_WEIGHT_BELOW_100',
    'spec.steps[4].weight',
    (spec) => (spec.steps[4].weight = 50),
  ],
  ['no weight at all', 'SLUICE_LINT_LAST_WEIGHT_BELOW_100', 'spec.steps', (spec) => (spec.steps = [{ approve: {} }])],
  [
    'a shadow after a weight',
    'SLUICE_LINT_SHADOW_AFTER_WEIGHT',
    'spec.steps[3].shadow',
    (spec) => (spec.steps[3] = { shadow: { percent: 10 } }),
  ],
  [
    'a failure budget of a critical guardrail',
    'SLUICE_LINT_CRITICAL_WITH_FAILURES',
    'spec.guardrails[0].failures',
    (spec) => Object.assign(spec.guardrails[0], { severity: 'Critical', failures: { count: 3, within: 5 } }),
  ],
  [
    'a shadow of requests that change something',
    'SLUICE_LINT_SHADOW_UNSAFE_METHODS',
    'spec.steps[0].shadow.methods',
    (spec) => (spec.steps[0].shadow.methods = ['GET', 'POST']),
  ],
])('doubts %s', (_, code, path, change) => {
  const manifest = fullRollout();
  expect(lint(manifest)).toEqual([]);
  change(manifest.spec);
  expect(lint(manifest).map((doubt) => [doubt.code, doubt.path])).toEqual([[code, path]]);
});

test('a guardrail whose Metric is not known is judged by its own window only', () => {
  const manifest = fullRollout();
  manifest.spec.guardrails = [{ name: 'errors', metric: 'unknown' }];
  manifest.spec.steps = [{ weight: 100, hold: '1s' }];
  expect(lint(manifest)).toEqual([]);
  Object.assign(manifest.spec.guardrails[0], { window: '2s', interval: '1s' });
  expect(lint(manifest).map(({ path }) => path)).toEqual(['spec.steps[0].hold']);
});

test('doubts the window of a Metric that holds one scrape', () => {
  const manifest = fullMetric();
  manifest.spec.window = '29s';
  expect(lintMetric(metric(manifest))).toMatchObject([{ code: 'SLUICE_LINT_WINDOW_TOO_SHORT', path: 'spec.window' }]);
  manifest.spec.window = '30s';
  expect(lintMetric(metric(manifest))).toEqual([]);
});

function lint(manifest: Manifest) {
  const parsed = parseRollout(manifest);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return lintRollout(parsed.rollout.spec, (name) => {
    const found = catalogue.get(name);
    return found && metric(found);
  });
}

function metric(manifest: Manifest) {
  const parsed = parseMetric(manifest);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.metric.spec;
}
