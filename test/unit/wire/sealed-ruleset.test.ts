import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openRuleset, sealRuleset } from '../../../src/wire/sealed-ruleset.ts';
import { flagWith, rulesetWith } from '../../support/ruleset.ts';

const ruleset = rulesetWith({ checkout: flagWith() });
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const keys = new Map([['main', publicKey]]);
const overTheWire = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('a sealed ruleset', () => {
  test('opens to what was sealed', () => {
    const sealed = overTheWire(sealRuleset(ruleset, { id: 'main', privateKey }));
    expect(openRuleset(sealed, keys)).toEqual({ ok: true, ruleset, digest: sealed.digest });
  });

  test('opens without a signature where no key is asked for', () => {
    expect(openRuleset(overTheWire(sealRuleset(ruleset)))).toMatchObject({ ok: true });
  });

  test('has the same digest whatever the order of names', () => {
    const reversed = Object.fromEntries(Object.entries(ruleset).reverse());
    expect(openRuleset({ ...sealRuleset(ruleset), ruleset: reversed })).toMatchObject({ ok: true });
  });

  test('does not open when a bit of it has changed', () => {
    const sealed = overTheWire(sealRuleset(ruleset, { id: 'main', privateKey }));
    sealed.ruleset.flags.checkout.defaultVariant = 'on';
    expect(openRuleset(sealed, keys)).toMatchObject({ ok: false, code: 'SLUICE_RULESET_DIGEST' });
  });

  test.each([
    ['of another key', sealRuleset(ruleset, { id: 'main', privateKey: other.privateKey })],
    ['of an unknown key', sealRuleset(ruleset, { id: 'old', privateKey })],
    ['that is not there', sealRuleset(ruleset)],
  ])('does not open with a signature %s', (_, sealed) => {
    expect(openRuleset(overTheWire(sealed), keys)).toMatchObject({ ok: false, code: 'SLUICE_RULESET_SIGNATURE' });
  });

  test('does not open when the ruleset was exchanged together with its digest', () => {
    const signed = sealRuleset(ruleset, { id: 'main', privateKey });
    const forged = { ...sealRuleset(rulesetWith({})), signature: signed.signature };
    expect(openRuleset(overTheWire(forged), keys)).toMatchObject({ code: 'SLUICE_RULESET_SIGNATURE' });
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a ruleset without its envelope', ruleset],
    ['a broken digest', { ...sealRuleset(ruleset), digest: 'md5:1' }],
    ['more than belongs there', { ...sealRuleset(ruleset), extra: 1 }],
    [
      'a signature of another algorithm',
      { ...sealRuleset(ruleset), signature: { algorithm: 'RS256', keyId: 'a', value: '' } },
    ],
  ])('is not %s', (_, document) => {
    expect(openRuleset(document)).toMatchObject({ ok: false, code: 'SLUICE_RULESET_INVALID' });
  });

  test('of a newer schema is refused as such', () => {
    expect(openRuleset({ ruleset: { schema: 'sluice.ruleset/v9' } })).toMatchObject({ code: 'SLUICE_RULESET_NEWER' });
  });
});
