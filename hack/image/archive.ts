import { createHash, type Hash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, posix } from 'node:path';

/** One thing in an image's file system. `path` is relative to its root, without a leading slash. */
export type Entry =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly source: string | Buffer }
  | { readonly kind: 'dir'; readonly path: string; readonly mode: number };

export interface Image {
  /** `name:tag`. */
  readonly reference: string;
  /** From the lowest up; what changes often belongs into the last. A string is the path of the file's content. */
  readonly layers: readonly (readonly Entry[])[];
  readonly entrypoint: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `uid:gid`; root when absent. */
  readonly user?: string;
}

const BLOCK_BYTES = 512;
const COPY_BYTES = 1 << 20;

/**
 * Writes a docker-archive that `ctr images import`, `docker load` and `kind load image-archive` read. The same input
 * gives the same bytes: no times, no owners, sorted names. Appears at `file` only when it is complete; a failure leaves nothing.
 */
export function writeImageArchive(file: string, image: Image): void {
  mkdirSync(dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}.unfinished`;
  try {
    writeUnfinished(unfinished, image);
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

function writeUnfinished(file: string, image: Image): void {
  const fd = openSync(file, 'w');
  try {
    const diffIds = image.layers.map((layer, index) => writeLayer(fd, `layer-${index}.tar`, layer));
    const config = Buffer.from(JSON.stringify(imageConfig(image, diffIds)));
    const configName = `${createHash('sha256').update(config).digest('hex')}.json`;
    const layers = image.layers.map((_, index) => `layer-${index}.tar`);
    const manifest = [{ Config: configName, RepoTags: [image.reference], Layers: layers }];
    writeFile(fd, { kind: 'file', path: configName, mode: 0o644, source: config });
    writeFile(fd, { kind: 'file', path: 'manifest.json', mode: 0o644, source: Buffer.from(JSON.stringify(manifest)) });
    writeSync(fd, Buffer.alloc(2 * BLOCK_BYTES));
  } finally {
    closeSync(fd);
  }
}

function imageConfig(image: Image, diffIds: readonly string[]): object {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', ...image.env };
  return {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      Entrypoint: image.entrypoint,
      Cmd: image.cmd ?? [],
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      User: image.user ?? '',
      WorkingDir: '/',
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'hack/image' })),
  };
}

/** Writes a layer, itself an archive, as one file of the outer archive; answers its digest. */
function writeLayer(fd: number, name: string, entries: readonly Entry[]): string {
  const sorted = withParents(entries);
  const contents = sorted.reduce((sum, entry) => sum + BLOCK_BYTES + padded(sizeOf(entry)), 0);
  writeSync(fd, header({ kind: 'file', path: name, mode: 0o644, source: '' }, contents + 2 * BLOCK_BYTES));
  const hash = createHash('sha256');
  for (const entry of sorted) writeFile(fd, entry, hash);
  write(fd, Buffer.alloc(2 * BLOCK_BYTES), hash);
  return `sha256:${hash.digest('hex')}`;
}

/** Adds the folders that are not named and sorts, so that each folder stands before what lies in it. */
function withParents(entries: readonly Entry[]): Entry[] {
  const byPath = new Map<string, Entry>();
  for (const { path } of entries) {
    for (let dir = posix.dirname(path); dir !== '.'; dir = posix.dirname(dir)) {
      byPath.set(dir, { kind: 'dir', path: dir, mode: 0o755 });
    }
  }
  for (const entry of entries) byPath.set(entry.path, entry);
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function writeFile(fd: number, entry: Entry, hash?: Hash): void {
  const sizeBytes = sizeOf(entry);
  write(fd, header(entry, sizeBytes), hash);
  if (entry.kind === 'dir') return;
  if (typeof entry.source === 'string') copyFrom(entry.source, sizeBytes, fd, hash);
  else write(fd, entry.source, hash);
  write(fd, Buffer.alloc(padded(sizeBytes) - sizeBytes), hash);
}

function copyFrom(path: string, sizeBytes: number, fd: number, hash?: Hash): void {
  const source = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(COPY_BYTES);
    let copied = 0;
    for (let read = readSync(source, chunk); read > 0; read = readSync(source, chunk)) {
      write(fd, chunk.subarray(0, read), hash);
      copied += read;
    }
    if (copied !== sizeBytes) throw new Error(`${path} changed while it was copied`);
  } finally {
    closeSync(source);
  }
}

function write(fd: number, bytes: Buffer, hash?: Hash): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
  hash?.update(bytes);
}

const padded = (sizeBytes: number) => Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;

function sizeOf(entry: Entry): number {
  if (entry.kind === 'dir') return 0;
  return typeof entry.source === 'string' ? statSync(entry.source).size : entry.source.length;
}

/** One ustar header (POSIX.1-1988), owner root, time 0. */
function header(entry: Entry, sizeBytes: number): Buffer {
  const name = entry.kind === 'dir' ? `${entry.path}/` : entry.path;
  if (Buffer.byteLength(name) > 100) throw new Error(`${name} is too long for a ustar archive`);
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, offset: number, width: number) =>
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset);
  block.write(name, 0);
  octal(entry.mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(sizeBytes, 124, 12);
  octal(0, 136, 12);
  block.write('        ', 148); // the checksum counts its own field as spaces
  block.write(entry.kind === 'dir' ? '5' : '0', 156);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
