// GrowthBook's own cases of features and conditions (MIT, see test/conformance/growthbook) through our importer and evaluator.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../../src/core/evaluation/evaluate.ts';
import { importGrowthbook } from '../../../src/importers/growthbook/import.ts';
import { compiledImport } from '../../support/imported-flags.ts';

type Json = Readonly<Record<string, unknown>>;
type ConditionCase = [name: string, condition: Json, attributes: Json, expected: boolean, savedGroups?: Json];
interface Context {
  readonly features?: Json;
  readonly attributes?: Json;
  readonly savedGroups?: Json;
  readonly forcedVariations?: Json;
}
type FeatureCase = [name: string, context: Context, key: string, expected: { value: unknown }];

const cases = JSON.parse(readFileSync('test/conformance/growthbook/features.json', 'utf8')) as {
  evalCondition: ConditionCase[];
  feature: FeatureCase[];
};

/** Versions are Semantic Versions here, and a text is never a number: attributes have to be passed as such. */
const OTHER_TYPES = [
  'comparing numbers and strings',
  'version v0.0.0 > 0.0.0-foo',
  'version v0.0.1 > 0.0.0',
  'version v1.0.0 > 0.9.9',
  'version v0.10.0 > 0.9.0',
  'version v0.99.0 > 0.10.0',
  'version v2.0.0 > 1.2.3',
  'version a.b.c.d.e.f > 1.2.3',
  'version 1-2-3 == 1.2.3',
  'version 1.2.3.4 == 1.2.3-4',
];

const conditions = cases.evalCondition.map(([name, condition, attributes, expected, savedGroups]) => {
  const features = { f: { defaultValue: false, rules: [{ condition, force: true }] } };
  return { name, attributes, expected, imported: importGrowthbook({ features, savedGroups }) };
});
const takenConditions = conditions.filter(({ imported }) => imported.refused.length === 0);

describe('conditions of GrowthBook', () => {
  test.each(takenConditions.filter(({ name }) => !OTHER_TYPES.includes(name)))(
    '$name',
    ({ attributes, expected, imported }) => {
      expect(evaluate(compiledImport(imported), 'f', attributes, 0)).toMatchObject({ value: expected });
    },
  );

  test('are mostly taken, and refused by path where they are not', () => {
    expect(takenConditions).toHaveLength(147);
    for (const { imported } of conditions.filter((one) => !takenConditions.includes(one))) {
      expect(imported.refused[0]?.path).toMatch(/^features\.f\.rules\[0\]\.condition/);
    }
  });
});

describe('features of GrowthBook', () => {
  const taken = cases.feature.filter(([, { features = {}, savedGroups, forcedVariations }]) => {
    // Forced variations are the caller's, not the file's.
    return forcedVariations === undefined && importGrowthbook({ features, savedGroups }).refused.length === 0;
  });

  test.each(taken)('%s', (_, { features = {}, savedGroups, attributes = {} }, key, { value }) => {
    const answer = evaluate(compiledImport(importGrowthbook({ features, savedGroups })), key, attributes, 0);
    expect(answer.kind === 'Served' ? answer.value : null).toEqual(value);
  });

  test('are taken where they have a counterpart', () => {
    expect(taken).toHaveLength(32);
  });

  test('are refused by path for what would change who gets what, and not for an empty list of it', () => {
    const refusedBy = (parentConditions: unknown) =>
      importGrowthbook({ features: { f: { defaultValue: 1, rules: [{ force: 2, parentConditions }] } } }).refused;
    expect(refusedBy([{ id: 'g' }])[0]?.path).toBe('features.f.rules[0].parentConditions');
    expect(refusedBy([])).toEqual([]);
  });

  test('keep namespaces, filters and coverage apart from the draw of the variation', () => {
    const rule = {
      variations: ['a', 'b'],
      key: 'exp',
      hashVersion: 2,
      coverage: 0.4,
      weights: [0.25, 0.75],
      namespace: ['pricing', 0, 0.5],
    };
    const [flag] = importGrowthbook({ features: { f: { defaultValue: 'a', rules: [rule] } } }).flags;
    expect(flag?.spec.rules).toEqual([
      {
        id: '1',
        when: { all: [{ attr: 'id', op: 'exists' }] },
        admissions: [
          { unit: 'id', hash: 'growthbook/1', salt: '__pricing', ranges: [{ from: 0, to: 5_000 }] },
          {
            unit: 'id',
            hash: 'growthbook/2',
            salt: 'exp',
            ranges: [
              { from: 0, to: 1_000 },
              { from: 2_500, to: 5_500 },
            ],
          },
        ],
        serve: {
          unit: 'id',
          hash: 'growthbook/2',
          salt: 'exp',
          split: [
            { variant: 'v0', weight: 2_500 },
            { variant: 'v1', weight: 7_500 },
          ],
        },
      },
    ]);
  });
});
