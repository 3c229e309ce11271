import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseFeatureFlag, parseMetric, parseRollout } from '../../../src/api/parse.ts';
import { blocks, pages } from '../../support/docs.ts';
import type { Manifest } from '../../support/manifests.ts';

const documents = pages().flatMap((page) =>
  blocks(page, 'yaml').flatMap((text, index) =>
    parseAllDocuments(text).map((document) => [`${page.path}, block ${index + 1}`, document] as const),
  ),
);

test.each(documents)('%s is YAML', (_, document) => {
  expect(document.errors).toEqual([]);
});

const resources = documents
  .map(([where, document]) => [where, document.toJS() as Manifest] as const)
  .filter(([, manifest]) => manifest?.apiVersion === 'sluice.dev/v1alpha1');

test('the pages show Rollouts, Metrics and FeatureFlags', () => {
  expect(new Set(resources.map(([, { kind }]) => kind))).toEqual(new Set(['Rollout', 'Metric', 'FeatureFlag']));
});

test.each(resources)('the resource in %s is valid', (_, manifest) => {
  const parse = { Rollout: parseRollout, Metric: parseMetric, FeatureFlag: parseFeatureFlag }[
    manifest.kind as 'Rollout'
  ];
  const parsed = parse(manifest);
  expect(parsed.ok ? [] : parsed.problems).toEqual([]);
});
