import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Entry, type Image, writeImageArchive } from '../../../hack/image/archive.ts';

const dir = mkdtempSync(join(tmpdir(), 'sluice-archive-'));
afterAll(() => rmSync(dir, { recursive: true }));
const program = join(dir, 'program');
writeFileSync(program, 'x'.repeat(1_500_000)); // more than one copy buffer, and no multiple of a block

const hello: Entry = { kind: 'file', path: 'etc/deep/hello', mode: 0o644, source: Buffer.from('hello\n') };
const entries: readonly Entry[] = [
  { kind: 'file', path: 'usr/bin/program', mode: 0o755, source: program },
  { kind: 'dir', path: 'tmp', mode: 0o1777 },
  hello,
];
const image = (layer: readonly Entry[]): Image => ({
  reference: 'sluice.local/test:1',
  layers: [layer, [hello]],
  entrypoint: ['/usr/bin/program'],
  env: { MODE: 'test' },
  user: '65532:65532',
});

function build(name: string, layer: readonly Entry[]): string {
  const file = join(dir, name);
  writeImageArchive(file, image(layer));
  return file;
}

const tar = (...args: string[]) => execFileSync('tar', args, { maxBuffer: 10_000_000 });

test('tar reads the archive and its layers: folders before what lies in them, modes and contents as given', () => {
  const file = build('read.tar', entries);
  tar('-xf', file, '-C', dir);
  const listed = tar('-tvf', join(dir, 'layer-0.tar')).toString().trimEnd().split('\n');
  expect(listed.map((line) => line.split(/\s+/).filter((_, column) => column < 2 || column === 5))).toEqual([
    ['drwxr-xr-x', '0/0', 'etc/'],
    ['drwxr-xr-x', '0/0', 'etc/deep/'],
    ['-rw-r--r--', '0/0', 'etc/deep/hello'],
    ['drwxrwxrwt', '0/0', 'tmp/'],
    ['drwxr-xr-x', '0/0', 'usr/'],
    ['drwxr-xr-x', '0/0', 'usr/bin/'],
    ['-rwxr-xr-x', '0/0', 'usr/bin/program'],
  ]);
  expect(tar('-xOf', join(dir, 'layer-0.tar'), 'usr/bin/program').equals(readFileSync(program))).toBe(true);
});

test('the configuration names each layer by the digest of its bytes', () => {
  const file = build('config.tar', entries);
  const [manifest] = JSON.parse(tar('-xOf', file, 'manifest.json').toString());
  const config = JSON.parse(tar('-xOf', file, manifest.Config).toString());
  const digests = manifest.Layers.map((layer: string) => {
    const bytes = tar('-xOf', file, layer);
    return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  });
  expect(config.rootfs.diff_ids).toEqual(digests);
  expect(config.config).toMatchObject({ Entrypoint: ['/usr/bin/program'], User: '65532:65532' });
  expect(manifest.RepoTags).toEqual(['sluice.local/test:1']);
});

test('the same content gives the same bytes, in whatever order it is named and whenever it was written', () => {
  const first = build('first.tar', entries);
  writeFileSync(program, readFileSync(program)); // a new time
  const second = build('second.tar', [...entries].reverse());
  expect(readFileSync(second).equals(readFileSync(first))).toBe(true);
});

test('a path that the format cannot hold is refused, and nothing of the try stays', () => {
  expect(() => build('long.tar', [{ kind: 'dir', path: 'a'.repeat(120), mode: 0o755 }])).toThrow('too long');
  expect(readdirSync(dir).filter((name) => name.startsWith('long.tar'))).toEqual([]);
});
