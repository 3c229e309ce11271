import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silent } from '../../../src/base/logger.ts';
import { LastGoodKeeper, readLastGood, writeLastGood } from '../../../src/rulesets/last-good.ts';
import { snapshotOf } from '../../../src/rulesets/source.ts';
import { keyIdOf, sealRuleset } from '../../../src/wire/sealed-ruleset.ts';
import { flagWith, rulesetWith } from '../../support/ruleset.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-last-good-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = () => join(folder, 'last-good');
const snapshot = (revision = 7) => snapshotOf(sealRuleset({ ...rulesetWith({ a: flagWith() }), revision }));
const revisionKept = async () => {
  const kept = await readLastGood(folder);
  return kept?.kind === 'Ruleset' ? kept.snapshot.ruleset.revision : kept?.code;
};

test('what is written is read again, and nothing where nothing was', async () => {
  expect(await readLastGood(folder)).toBeUndefined();
  const { bytes, digest } = snapshot();
  await writeLastGood(folder, bytes);
  expect(await readLastGood(folder)).toMatchObject({ kind: 'Ruleset', live: false, snapshot: { digest } });
});

test('a file that was cut at any byte, or has one more, is refused whole', async () => {
  await writeLastGood(folder, snapshot().bytes);
  const whole = readFileSync(path());
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(path(), whole.subarray(0, length));
    expect(await revisionKept()).toBe('SLUICE_LAST_GOOD_DAMAGED');
  }
  writeFileSync(path(), Buffer.concat([whole, Buffer.from('x')]));
  expect(await revisionKept()).toBe('SLUICE_LAST_GOOD_DAMAGED');
});

test('a file with one byte changed is refused', async () => {
  await writeLastGood(folder, snapshot().bytes);
  const whole = readFileSync(path());
  for (let at = 0; at < whole.length; at += 7) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] as number) ^ 1;
    writeFileSync(path(), changed);
    expect(await revisionKept(), `byte ${at}`).toBe('SLUICE_LAST_GOOD_DAMAGED');
  }
});

test.each([
  ['a newer schema', { schema: 'sluice.ruleset/v2' as 'sluice.ruleset/v1' }, 'SLUICE_RULESET_NEWER'],
  ['a broken digest', { revision: 8 }, 'SLUICE_RULESET_DIGEST'],
])('a whole file with %s is refused by its code', async (_, change, code) => {
  const sealed = sealRuleset(rulesetWith({ a: flagWith() }));
  await writeLastGood(folder, snapshotOf({ ...sealed, ruleset: { ...sealed.ruleset, ...change } }).bytes);
  expect(await revisionKept()).toBe(code);
});

test('with trusted keys, only what one of them signed is taken', async () => {
  const pair = () => generateKeyPairSync('ed25519');
  const [ours, theirs] = [pair(), pair()];
  const keys = new Map([[keyIdOf(ours.publicKey), ours.publicKey]]);
  for (const [{ publicKey, privateKey }, kind] of [
    [ours, 'Ruleset'],
    [theirs, 'Refused'],
  ] as const) {
    const sealed = sealRuleset(rulesetWith({}), { id: keyIdOf(publicKey), privateKey });
    await writeLastGood(folder, snapshotOf(sealed).bytes);
    expect((await readLastGood(folder, keys))?.kind).toBe(kind);
  }
  await writeLastGood(folder, snapshot().bytes);
  expect((await readLastGood(folder, keys))?.kind).toBe('Refused');
});

test('what a kill left beside the file is no hindrance', async () => {
  writeFileSync(`${path()}.tmp`, 'half');
  await writeLastGood(folder, snapshot().bytes);
  expect(await revisionKept()).toBe(7);
});

test('a write that fails is counted, leaves the one before, and the next one is tried', async () => {
  const keeper = new LastGoodKeeper(folder, silent);
  keeper.keep(snapshot(1).bytes);
  await keeper.settled();
  mkdirSync(`${path()}.tmp`); // where a file should be written
  keeper.keep(snapshot(2).bytes);
  await keeper.settled();
  expect([await revisionKept(), keeper.failures]).toEqual([1, 1]);
  rmSync(`${path()}.tmp`, { recursive: true });
  keeper.keep(snapshot(3).bytes);
  keeper.keep(snapshot(4).bytes);
  keeper.keep(snapshot(5).bytes);
  await keeper.settled();
  expect([await revisionKept(), keeper.failures]).toEqual([5, 1]);
});
