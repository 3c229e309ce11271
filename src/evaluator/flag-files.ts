import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { SluiceError } from '../base/errors.ts';
import type { FlagManifest } from '../core/flags/flag-source.ts';
import { plainOf, READ_AS_KUBECTL } from '../wire/manifest-yaml.ts';

const MAX_FILES = 1_000;
const MAX_FILE_BYTES = 4 * 2 ** 20;
const EXTENSION = /\.(ya?ml|json)$/i;

/** One file as it was found. */
export interface FoundFile {
  readonly path: string;
  /** Changes whenever the file does. */
  readonly sign: string;
}

/**
 * The files that these paths name; of a folder, all YAML and JSON files at its top, by name. Throws SLUICE_FLAG_FILE for what
 * is not there, and for more than 1,000 files.
 */
export async function findFiles(paths: readonly string[]): Promise<FoundFile[]> {
  const found = await Promise.all(paths.map(async (path) => ((await isFolder(path)) ? filesIn(path) : [path])));
  const files = [...new Set(found.flat())];
  if (files.length > MAX_FILES) throw new SluiceError('SLUICE_FLAG_FILE', `there are more than ${MAX_FILES} files`);
  return Promise.all(files.map(async (path) => ({ path, sign: await signOf(path) })));
}

const isFolder = async (path: string): Promise<boolean> => (await statusOf(path)).isDirectory();

async function filesIn(folder: string): Promise<string[]> {
  const names = await orRefuse(folder, readdir(folder));
  // A mounted ConfigMap has a folder `..data` and links into it.
  return names
    .filter((name) => EXTENSION.test(name) && !name.startsWith('..'))
    .sort()
    .map((name) => join(folder, name));
}

const statusOf = (path: string) => orRefuse(path, stat(path));

async function orRefuse<T>(path: string, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (cause) {
    throw new SluiceError('SLUICE_FLAG_FILE', `cannot read ${path}: ${reasonOf(cause)}`, {}, cause);
  }
}

async function signOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeMs, ctimeMs } = await statusOf(path);
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

/** The FeatureFlags in a file; objects of other kinds are passed over. Throws SLUICE_FLAG_FILE. */
export async function readFlagFile(path: string): Promise<FlagManifest[]> {
  const { size } = await statusOf(path);
  if (size > MAX_FILE_BYTES) {
    throw new SluiceError('SLUICE_FLAG_FILE', `${path} is larger than ${MAX_FILE_BYTES} bytes`);
  }
  // Many editors empty a file before they write it: taken at its word, all flags would be gone for a moment.
  if (size === 0) throw new SluiceError('SLUICE_FLAG_FILE', `${path} is empty`);
  try {
    return flagsIn(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new SluiceError('SLUICE_FLAG_FILE', `${path}: ${reasonOf(cause)}`, {}, cause);
  }
}

function flagsIn(text: string): FlagManifest[] {
  return parseAllDocuments(text, READ_AS_KUBECTL).flatMap((document) => {
    const value = plainOf(document);
    return isList(value) ? value.items.filter(isFlag) : isFlag(value) ? [value] : [];
  });
}

/** What `kubectl get -o yaml` prints. */
function isList(value: unknown): value is { readonly items: readonly unknown[] } {
  const list = value as { kind?: unknown; items?: unknown } | null;
  return typeof list === 'object' && list !== null && Array.isArray(list.items);
}

function isFlag(value: unknown): value is FlagManifest {
  const object = value as { apiVersion?: unknown; kind?: unknown; metadata?: { name?: unknown } | null } | null;
  return (
    typeof object === 'object' &&
    object !== null &&
    object.kind === 'FeatureFlag' &&
    String(object.apiVersion).startsWith('sluice.dev/') &&
    typeof object.metadata?.name === 'string'
  );
}

/** The first line of what went wrong. */
const reasonOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
