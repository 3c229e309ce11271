import { expect, test } from 'vitest';
import type { EpochMs } from '../../../src/base/units.ts';
import { describeRollout } from '../../../src/cli/describe.ts';
import { rolloutDocument, rolloutTable } from '../../../src/cli/get.ts';
import { initManifest } from '../../../src/cli/init-manifest.ts';
import { findingText, lintFiles } from '../../../src/cli/lint.ts';
import type { RolloutObject } from '../../../src/cli/rollouts.ts';
import { coloursFor, span } from '../../../src/cli/text.ts';
import { fullRollout, type Manifest } from '../../support/manifests.ts';
import { healthyStatus, holdingStatus, NOON, rolledBackStatus } from '../../support/rollout-status.ts';

const now = NOON as EpochMs;
const colours = coloursFor(false);

function rollout(name: string, status?: Manifest, namespace = 'shop'): RolloutObject {
  const created = { creationTimestamp: '2026-02-27T10:00:00Z', managedFields: [{}] };
  return { ...fullRollout(), metadata: { name, namespace, ...created }, status };
}

const all = [
  rollout('catalog', holdingStatus()),
  rollout('cart', rolledBackStatus()),
  rollout('search', healthyStatus(), 'find'),
  rollout('new-one'),
];

const golden = (text: string, file: string) => expect(`${text}\n`).toMatchFileSnapshot(`testdata/${file}`);

test('get lists what one looks for first, sorted', async () => {
  const view = { colours, now, wide: false, allNamespaces: false };
  await golden(
    rolloutTable(
      all.filter(({ metadata }) => metadata.namespace === 'shop'),
      view,
    ),
    'get.txt',
  );
});

test('get -A -o wide adds namespaces, revisions and the message', async () => {
  await golden(rolloutTable(all, { colours, now, wide: true, allNamespaces: true }), 'get-wide.txt');
});

test('colours change no column', () => {
  const view = { now, wide: true, allNamespaces: true };
  const coloured = rolloutTable(all, { ...view, colours: coloursFor(true) });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
  const bare = coloured.replace(/\u001b\[\d+m/g, '');
  expect(coloured).not.toBe(bare);
  expect(bare).toBe(rolloutTable(all, { ...view, colours }));
});

test.each([
  ['holding', holdingStatus()],
  ['rolled-back', rolledBackStatus()],
  ['just-made', undefined],
])('status of a rollout that is %s', async (name, status) => {
  await golden(describeRollout(rollout('catalog', status), colours, now), `status-${name}.txt`);
});

test('json and yaml are the object itself, or a List, without managed fields', () => {
  const [catalog] = all as [RolloutObject];
  const single = JSON.parse(rolloutDocument([catalog], true, 'json'));
  expect(single).toMatchObject({ kind: 'Rollout', status: { phase: 'Progressing' } });
  expect(single.metadata).not.toHaveProperty('managedFields');
  expect(JSON.parse(rolloutDocument(all, false, 'json'))).toMatchObject({ kind: 'List', items: { length: 4 } });
  expect(rolloutDocument([catalog], true, 'yaml')).toMatch(/^apiVersion: sluice.dev\/v1alpha1\nkind: Rollout\n/);
});

test('init prints a Rollout that lint has nothing to say about', async () => {
  const text = initManifest({
    namespace: 'shop',
    deployment: 'catalog',
    service: 'catalog',
    httpRoutes: ['catalog', 'catalog-internal'],
    otherServices: ['catalog-metrics'],
    metrics: ['orders-per-request'],
  });
  await golden(text, 'init.txt');
  expect(lintFiles([['-', text]])).toEqual({ findings: [], checked: 1, others: 0 });
});

const BROKEN = `apiVersion: v1
kind: Service
metadata: { name: catalog }
---
apiVersion: sluice.dev/v1alpha1
kind: Rollout
metadata:
  name: catalog
spec:
  workload:
    name: catalog
  traffic:
    service: catalog
    router:
      gatewayAPI:
        httpRoutes: []
  steps:
    - weight: 50
    - weight: 500
      holt: 2m
---
apiVersion: sluice.dev/v1alpha1
kind: Rollout
metadata:
  name: cart
spec:
  workload: { name: cart }
  traffic: { service: cart, router: { gatewayAPI: { httpRoutes: [{ name: cart }] } } }
  steps:
    - weight: 50
      hold: 10s
  guardrails:
    - name: errors
      metric: errors
---
apiVersion: sluice.dev/v1alpha1
kind: Metric
metadata: { name: errors }
spec:
  provider: { prometheus: { query: vector(1) } }
  window: 20s
---
a: [
`;

test('lint tells each problem and doubt with its line and what to do', async () => {
  const { findings, checked, others } = lintFiles([['shop.yaml', BROKEN]]);
  expect({ checked, others }).toEqual({ checked: 3, others: 1 });
  await golden(findings.map(findingText).join('\n'), 'lint.txt');
});

test('lint refuses what is not an object of Sluice’s kinds and survives odd documents', () => {
  const odd = 'apiVersion: sluice.dev/v1alpha1\nkind: Experimint\n---\njust text\n---\n- 1\n---\n---\nnull\n';
  expect(lintFiles([['x', odd]]).findings).toMatchObject([{ line: 2, path: 'kind', severity: 'Error' }]);
});

test('what others wrote into a status cannot steer the terminal', () => {
  const status = { ...healthyStatus(), message: 'fine\u001b[2J\r\nnot fine\u009b31m' };
  const text = describeRollout(rollout('catalog', status), colours, now);
  expect(text).toContain('Healthy: fine [2J not fine 31m');
});

test.each([
  [0, '0s'],
  [999, '0s'],
  [59_000, '59s'],
  [60_000, '1m'],
  [252_000, '4m12s'],
  [3_600_000, '1h'],
  [3_661_000, '1h1m'],
  [90_000_000, '1d1h'],
  [86_400_000 * 400, '400d'],
])('%i ms are %s', (ms, text) => {
  expect(span(ms)).toBe(text);
});
