import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keyFiles } from '../../../src/rulesets/key-files.ts';
import { keyIdOf } from '../../../src/wire/sealed-ruleset.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes a public key, and answers its id. */
function put(name: string, type: 'ed25519' | 'x25519' = 'ed25519'): string {
  const { publicKey } = type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519');
  writeFileSync(join(folder, name), publicKey.export({ type: 'spki', format: 'pem' }));
  return keyIdOf(publicKey);
}

test('without files nothing is checked; a file that is not there yet is no key, and checks all the same', () => {
  expect(keyFiles([])).toBeUndefined();
  expect(keyFiles([join(folder, 'late.pem')])?.().size).toBe(0);
});

test('a file that comes or changes later counts from then on', () => {
  const trusted = keyFiles(['a.pem', 'b.pem'].map((name) => join(folder, name)))!;
  const first = put('a.pem');
  expect([...trusted().keys()]).toEqual([first]);
  const [second, third] = [put('a.pem'), put('b.pem')];
  expect([...trusted().keys()]).toEqual([second, third]);
  writeFileSync(join(folder, 'a.pem'), 'garbage');
  expect([...trusted().keys()]).toEqual([third]);
});

test('a file that holds something else at the start is refused with a code', () => {
  const refused = (name: string) => () => keyFiles([join(folder, name)]);
  writeFileSync(join(folder, 'text.pem'), 'no key');
  expect(refused('text.pem')).toThrow(/^SLUICE_SIDECAR_ARGUMENT: --public-key .*text\.pem: /);
  put('other.pem', 'x25519');
  expect(refused('other.pem')).toThrow('no Ed25519 key');
  writeFileSync(join(folder, 'large.pem'), ' '.repeat(20_000));
  expect(refused('large.pem')).toThrow('larger than');
});
