import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CompiledRuleset } from '../../../src/core/evaluation/compile.ts';
import { evaluate } from '../../../src/core/evaluation/evaluate.ts';
import { itemWithToken } from '../../../src/evaluator/answer-item.ts';
import { AnswerTexts, asciiJson } from '../../../src/evaluator/answer-texts.ts';
import type { Flag } from '../../../src/wire/flag.ts';
import { compiledWith, flagWith, ruleWith } from '../../support/ruleset.ts';

const draw = { unit: 'targetingKey', hash: 'murmur3-32/1' } as const;
const halves = (on: string, off: string) => [
  { variant: on, end: 5_000 },
  { variant: off, end: 10_000 },
];
const some = { ...draw, salt: 'some', ranges: [[0, 5_000] as [number, number]] };
const tested = {
  key: 'shop/exp',
  phase: 2,
  admission: { ...draw, salt: 'a', ranges: [[0, 10_000] as [number, number]] },
  arms: { ...draw, salt: 's', arms: [{ name: 'control', variant: 'off', end: 10_000 }] },
};

/** Names and values that could be taken for the bucket, or are no ASCII. */
const flags: Record<string, Flag> = {
  static: flagWith(),
  killed: flagWith({ killSwitch: true }),
  disabled: flagWith({ enabled: false }),
  split: flagWith({ rules: [ruleWith({ serve: { split: { ...draw, salt: 's', arms: halves('on', 'off') } } })] }),
  behind: flagWith({
    rules: [
      ruleWith({ id: 'other', when: { all: [] }, admissions: [{ ...some, unit: 'account' }] }),
      ruleWith({ id: 'split', serve: { split: { ...draw, salt: 't', arms: halves('on', 'off') } } }),
    ],
  }),
  admitted: flagWith({ rules: [ruleWith({ admissions: [some] })] }),
  tested: flagWith({ experiments: [tested] }),
  'ключ "bucket":1 ü': flagWith({
    type: 'object',
    variants: { on: { '"bucket":': [1], bucket: 2, text: '\\"bucket":3 €😀' }, off: { bucket: 4 } },
    rules: [ruleWith({ id: '"bucket":5,"é', serve: { split: { ...draw, salt: 'u', arms: halves('on', 'off') } } })],
  }),
};

test('the text of an answer says what its item says, in ASCII, whoever asks first', () => {
  const compiled: CompiledRuleset = compiledWith(flags);
  const texts = new AnswerTexts();
  const units = fc.record({ targetingKey: fc.string(), account: fc.string() }, { requiredKeys: [] });
  fc.assert(
    fc.property(units, fc.constantFrom(...Object.keys(flags), 'nobody ü'), fc.boolean(), (context, key, stale) => {
      const answer = evaluate(compiled, key, context, 0);
      const text = texts.textOf(compiled, key, answer, stale);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(itemWithToken(compiled, key, answer, stale))));
      expect(text).toMatch(/^[ -~]*$/);
    }),
    { numRuns: 2_000 },
  );
});

test('texts of one server are not another’s', () => {
  const compiled = compiledWith(flags);
  const answer = evaluate(compiled, 'split', { targetingKey: 'u' }, 0);
  new AnswerTexts().textOf(compiled, 'split', answer, false);
  const { flagSetId, version } = answer.metadata;
  const shown = { ...answer, metadata: { flagSetId: flagSetId as string, version: version as string } };
  expect(new AnswerTexts().textOf(compiled, 'split', shown, false)).not.toContain('ruleId');
});

test('lone surrogates are escaped as JSON.stringify does it', () => {
  for (const value of ['\ud800', 'a\udfffb', { '\ud83d': 1 }]) expect(JSON.parse(asciiJson(value))).toEqual(value);
});
