import { isDeepStrictEqual } from 'node:util';
import type { JsonPatch } from '../../src/traffic/json-patch.ts';

/** Applies a patch as RFC 6902 says: as a whole, or not at all with an error that names the operation. */
export function applyPatch<T>(document: T, patch: JsonPatch): T {
  const root = { document: copy(document) as unknown };
  for (const operation of patch) {
    const segments = operation.path.split('/').slice(1).map(unescaped);
    const key = segments.pop() ?? 'document';
    const parent = segments.reduce((at, segment) => child(at, segment), operation.path === '' ? root : root.document);
    if (!apply(parent, key, operation)) throw new PatchFailed(JSON.stringify(operation));
  }
  return root.document as T;
}

/** What the API server answers with 422. */
export class PatchFailed extends Error {}

type Container = Record<string, unknown> | unknown[];

function apply(parent: unknown, key: string, operation: JsonPatch[number]): boolean {
  if (typeof parent !== 'object' || parent === null) return false;
  const exists = Array.isArray(parent) ? Number(key) < parent.length : key in parent;
  if (operation.op === 'add') return insert(parent as Container, key, copy(operation.value));
  if (!exists) return false;
  const container = parent as Record<string, unknown>;
  if (operation.op === 'test') return isDeepStrictEqual(container[key], operation.value);
  if (operation.op === 'replace') container[key] = copy(operation.value);
  else if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete container[key];
  return true;
}

function insert(parent: Container, key: string, value: unknown): boolean {
  if (!Array.isArray(parent)) {
    parent[key] = value;
    return true;
  }
  const index = key === '-' ? parent.length : Number(key);
  if (!(index <= parent.length)) return false;
  parent.splice(index, 0, value);
  return true;
}

function child(at: unknown, segment: string): unknown {
  return typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[segment] : undefined;
}

const unescaped = (segment: string): string => segment.replaceAll('~1', '/').replaceAll('~0', '~');

/** As through the wire: nothing stays shared between two places of a document. */
const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
