import { expect, test } from 'vitest';
import type { SluiceError } from '../../../src/base/errors.ts';
import { digestOf } from '../../../src/wire/sealed-ruleset.ts';
import { decodeSnapshot, encodeSnapshot } from '../../../src/wire/snapshot.ts';
import { flagWith, rulesetWith } from '../../support/ruleset.ts';

/** Compresses well; each character is three bytes. */
const sealedOf = (chars: number) => {
  const flags = Array.from({ length: Math.ceil(chars / 60_000) }, (_, index) => [
    `f${index}`,
    flagWith({ type: 'string', variants: { on: 'ユ'.repeat(60_000), off: '' } }),
  ]);
  return { ruleset: rulesetWith(Object.fromEntries(flags)), digest: digestOf('') };
};

test('a ruleset whose text nobody would unzip is refused, though it is small in gzip', () => {
  const large = sealedOf(10_000_000);
  expect(decodeSnapshot(encodeSnapshot(large))).toEqual(large);
  expect(() => encodeSnapshot(sealedOf(12_000_000))).toThrow(
    expect.objectContaining({ code: 'SLUICE_RULESET_TOO_LARGE' }),
  );
});

test('the refusal of a ruleset says the same whenever it is made', () => {
  const refusalAt = (issuedAt: string) => {
    const { ruleset, digest } = sealedOf(60_000);
    try {
      return encodeSnapshot({ ruleset: { ...ruleset, issuedAt }, digest }, 1);
    } catch (error) {
      return error;
    }
  };
  const [one, other] = [refusalAt('2026-11-21T08:00:00.000Z'), refusalAt('2027-03-14T15:09:26.535Z')] as SluiceError[];
  expect(one!.facts.bytes).not.toBe(other!.facts.bytes);
  expect(one!.message).toBe(other!.message);
});

test('what differs by its switches alone may be larger in gzip', () => {
  const sealed = sealedOf(60_000);
  const { length } = encodeSnapshot(sealed);
  expect(encodeSnapshot(sealed, length)).toHaveLength(length);
  expect(() => encodeSnapshot(sealed, length - 1)).toThrow('in gzip');
});
