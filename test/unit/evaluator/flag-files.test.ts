import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findFiles, readFlagFile } from '../../../src/evaluator/flag-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const flag = (name: string) => ({ apiVersion: 'sluice.dev/v1alpha1', kind: 'FeatureFlag', metadata: { name } });
const namesIn = async (text: string) =>
  (await readFlagFile(write('x.yaml', text))).map(({ metadata }) => metadata.name);

test('a folder gives its YAML and JSON files by name, not what lies deeper; a file is taken whatever it is called', async () => {
  for (const name of ['b.yaml', 'a.yml', 'c.JSON', 'readme.md']) write(name, '');
  mkdirSync(join(folder, 'deeper'));
  writeFileSync(join(folder, 'deeper', 'd.yaml'), '');
  const found = await findFiles([folder, join(folder, 'readme.md'), join(folder, 'b.yaml')]);
  expect(found.map(({ path }) => path.slice(folder.length + 1))).toEqual(['a.yml', 'b.yaml', 'c.JSON', 'readme.md']);
});

test('a mounted ConfigMap is read through its links, once, and its swap changes the sign', async () => {
  for (const [version, text] of [
    ['..1', 'a'],
    ['..2', 'b'],
  ] as const) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'flags.yaml'), text);
  }
  symlinkSync('..1', join(folder, '..data'));
  symlinkSync('..data/flags.yaml', join(folder, 'flags.yaml'));
  const [before, ...others] = await findFiles([folder]);
  rmSync(join(folder, '..data'));
  symlinkSync('..2', join(folder, '..data'));
  const [after] = await findFiles([folder]);
  expect(others).toEqual([]);
  expect(after?.path).toBe(before?.path);
  expect(after?.sign).not.toBe(before?.sign);
});

test('flags are found among other objects, in several documents, in lists, and in JSON', async () => {
  expect(await namesIn('# nothing\n')).toEqual([]);
  const list = { apiVersion: 'v1', kind: 'List', items: [flag('a'), { kind: 'Service' }, null, flag('b')] };
  expect(await namesIn(JSON.stringify(list))).toEqual(['a', 'b']);
  const documents = [{ kind: 'Deployment' }, flag('c'), 'text', [1], null, { ...flag('d'), apiVersion: 'other/v1' }];
  expect(await namesIn(documents.map((one) => JSON.stringify(one)).join('\n---\n'))).toEqual(['c']);
});

test('a file says what it would say in the cluster: bare switches are booleans, dates are text', async () => {
  const [found] = await readFlagFile(
    write(
      'x.yaml',
      'apiVersion: sluice.dev/v1alpha1\nkind: FeatureFlag\nmetadata: { name: a }\nspec: { killSwitch: on, expiresAfter: 2027-03-01 }',
    ),
  );
  expect(found?.spec).toEqual({ killSwitch: true, expiresAfter: '2027-03-01' });
});

test.each([
  ['no YAML', 'a: ['],
  ['an empty file', ''],
  [
    'a bomb of aliases',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghi'].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[index]}`)}]`).join('\n')}`,
  ],
  ['more than 4 MiB', `# ${'x'.repeat(4 * 2 ** 20)}`],
])('%s is refused by a code, with the file named', async (_, text) => {
  await expect(readFlagFile(write('bad.yaml', text))).rejects.toThrow(/^SLUICE_FLAG_FILE: .*bad\.yaml/);
});

test('what is not there is refused by a code', async () => {
  await expect(findFiles([join(folder, 'none')])).rejects.toThrow(/^SLUICE_FLAG_FILE: cannot read/);
});

test('__proto__ in a file is a name like any other', async () => {
  const text = `${JSON.stringify(flag('a')).slice(0, -1)}, "__proto__": { "polluted": true } }`;
  expect(await namesIn(text)).toEqual(['a']);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});
