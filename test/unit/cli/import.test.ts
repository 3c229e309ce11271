import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { featureFlagSpecSchema } from '../../../src/api/feature-flag.ts';
import { importFile } from '../../../src/cli/import.ts';

const unleash = `
features:
  - name: Checkout.OnePage
    enabled: true
    strategies:
      - name: flexibleRollout
        parameters: { rollout: "25", stickiness: default, groupId: checkout }
        constraints: [ { contextName: country, operator: NOT_IN, values: [ DE ] } ]
  - name: checkout onepage
    enabled: false
    strategies: [ { name: default } ]
  - name: random
    enabled: true
    strategies: [ { name: gradualRolloutRandom, parameters: { percentage: "50" } } ]
`;

describe('kubectl sluice import', () => {
  test('prints FeatureFlags that can be applied, under names that Kubernetes takes', () => {
    const { manifests, taken, refused, remarks } = importFile('unleash', 'flags.yaml', unleash);
    const documents = parseAllDocuments(manifests).map((document) => document.toJS());
    expect(documents.map(({ metadata, spec }) => [metadata.name, spec.key])).toEqual([
      ['checkout-onepage', 'Checkout.OnePage'],
      ['checkout-onepage-2', 'checkout onepage'],
    ]);
    for (const { apiVersion, kind, spec } of documents) {
      expect([apiVersion, kind]).toEqual(['sluice.dev/v1alpha1', 'FeatureFlag']);
      expect(featureFlagSpecSchema.safeParse(spec)).toMatchObject({ success: true });
    }
    expect([taken, refused]).toEqual([2, 1]);
    expect(remarks[0]).toMatch(/^refused: features\[2\]\.strategies\[0\]\S*: a draw that is random/);
  });

  test('writes names that YAML 1.1 would take for booleans as text, because kubectl reads that', () => {
    const { manifests } = importFile(
      'growthbook',
      'f',
      '{"features":{"dark":{"defaultValue":false,"rules":[{"force":true}]}}}',
    );
    const [document] = parseAllDocuments(manifests, { version: '1.1' });
    expect(document?.toJS().spec).toMatchObject({ offVariant: 'off', variants: { on: true, off: false } });
    expect(manifests.startsWith('apiVersion:')).toBe(true);
  });

  test('takes JSON as well', () => {
    const file = JSON.stringify({
      features: { dark: { defaultValue: false, rules: [{ force: true, coverage: 0.1 }] } },
    });
    expect(importFile('growthbook', 'features.json', file)).toMatchObject({ taken: 1, refused: 0 });
  });

  test.each([
    ['nothing of the system', '[1, 2]'],
    ['an empty file', ''],
  ])('refuses %s', (_, text) => {
    expect(importFile('unleash', 'f', text)).toMatchObject({ taken: 0, manifests: '', refused: 1 });
  });

  test.each([
    ['no YAML', 'a: ['],
    ['an alias that leads nowhere', 'features: *nowhere'],
    ['nested without end', '['.repeat(5_000)],
  ])('says that a file is %s', (_, text) => {
    expect(() => importFile('unleash', 'f.yaml', text)).toThrow('SLUICE_CLI_FILE: f.yaml: ');
  });

  test('refuses what the API server or the operator would not take, with its path, and takes the others', () => {
    const features = {
      'two\nlines': { defaultValue: false },
      fine: { defaultValue: false },
      half: { defaultValue: '\ud800' },
      long: { defaultValue: 'x'.repeat(300_000) },
    };
    const { taken, remarks } = importFile('growthbook', 'f', JSON.stringify({ features }));
    expect(taken).toBe(1);
    expect(remarks).toEqual([
      expect.stringMatching(/^refused: features.two lines: does not fit into a FeatureFlag: spec.key /),
      expect.stringMatching(/^refused: features.half: does not fit into a FeatureFlag: spec.variants/),
      expect.stringMatching(/^refused: features.long: does not fit into a FeatureFlag: it is larger than /),
    ]);
  });

  test('gives a long key a name that Kubernetes takes', () => {
    const features = { [`${'a'.repeat(239)}-b`]: { defaultValue: false } };
    const { manifests } = importFile('growthbook', 'f', JSON.stringify({ features }));
    expect(manifests).toContain(`  name: ${'a'.repeat(239)}\n`);
  });

  test('says that GrowthBook’s features are encrypted', () => {
    const file = JSON.stringify({ features: {}, encryptedFeatures: `${'x'.repeat(5_000)}==` });
    expect(importFile('growthbook', 'f', file)).toMatchObject({
      taken: 0,
      refused: 1,
      remarks: [expect.stringMatching(/^refused: encryptedFeatures: are encrypted: /)],
    });
  });
});
