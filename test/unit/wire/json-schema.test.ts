import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { sealRuleset } from '../../../src/wire/sealed-ruleset.ts';
import { flagWith, rulesetWith, ruleWith } from '../../support/ruleset.ts';

const schema = JSON.parse(readFileSync('docs/reference/schemas/sealed-ruleset-v1.json', 'utf8'));
const validate = new Ajv2020({ validateFormats: false, strict: false }).compile(schema);
const sealed = (when: unknown) =>
  JSON.parse(
    JSON.stringify(
      sealRuleset(rulesetWith({ f: flagWith({ rules: [{ ...ruleWith(), when } as ReturnType<typeof ruleWith>] }) })),
    ),
  );

describe('the JSON Schema of a sealed ruleset', () => {
  test('takes what we take', () => {
    expect(
      validate(sealed({ all: [{ not: { attr: 'a', op: 'in', value: ['x', 1] } }, { segment: 's' }] })),
      JSON.stringify(validate.errors),
    ).toBe(true);
  });

  test.each([
    ['an operator that does not exist', { attr: 'a', op: 'like', value: 1 }],
    ['a condition with two ways', { all: [], any: [] }],
    ['a value of the wrong type, deep inside', { all: [{ not: { any: [{ attr: 'a', op: 'lt', value: 'x' }] } }] }],
  ])('refuses %s', (_, when) => {
    expect(validate(sealed(when))).toBe(false);
  });

  test('refuses a field that v1 does not know', () => {
    expect(validate({ ...sealed({ all: [] }), extra: 1 })).toBe(false);
  });
});
