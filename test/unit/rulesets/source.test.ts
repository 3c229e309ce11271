import { expect, test } from 'vitest';
import { openSnapshot, snapshotOf } from '../../../src/rulesets/source.ts';
import { sealRuleset } from '../../../src/wire/sealed-ruleset.ts';
import { flagWith, rulesetWith } from '../../support/ruleset.ts';

test('a snapshot that was made here is opened as what it was', () => {
  const made = snapshotOf(sealRuleset(rulesetWith({ a: flagWith() })));
  expect(openSnapshot(made.bytes)).toEqual(made);
});

test('bytes that are no snapshot are refused with a code', () => {
  expect(openSnapshot(Buffer.from('not gzip'))).toMatchObject({ kind: 'Refused', code: 'SLUICE_RULESET_INVALID' });
});
