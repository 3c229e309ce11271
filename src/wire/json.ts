import { LIMITS } from './limits.ts';

/** Any value that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What is wrong with a document, and where. */
export interface WireProblem {
  /** Like `flags.checkout.rules[2].when`; empty for the whole document. At most 200 UTF-16 units. */
  readonly path: string;
  readonly message: string;
}

interface Place {
  readonly value: unknown;
  readonly key: string | number;
  readonly parent: Place | undefined;
  readonly depth: number;
}

const MAX_PATH_CHARS = 200;

/**
 * The first thing that keeps `value` from being I-JSON (RFC 7493) of at most 64 levels and about `maxChars` of text:
 * lone surrogates, numbers that are not finite, keys named `__proto__`, values that are not JSON's. Walks without
 * recursion and stops at the bound, so cycles and hostile documents cost no more than an honest one.
 */
export function jsonProblem(value: unknown, maxChars: number): WireProblem | undefined {
  let charsLeft = maxChars;
  const stack: Place[] = [{ value, key: '', parent: undefined, depth: 0 }];
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    const message = scalarProblem(place);
    if (message !== undefined) return { path: pathOf(place), message };
    charsLeft -= charsOf(place);
    if (charsLeft < 0) return { path: '', message: `is larger than ${maxChars} characters` };
    pushInner(stack, place);
  }
  return undefined;
}

function scalarProblem({ value, key, depth }: Place): string | undefined {
  if (key === '__proto__') return 'must not be named __proto__';
  if (typeof key === 'string' && !key.isWellFormed()) return 'has a lone surrogate in its name';
  if (depth > LIMITS.depth) return `is nested deeper than ${LIMITS.depth} levels`;
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? undefined : 'has a lone surrogate';
    case 'number':
      return Number.isFinite(value) ? undefined : 'is not a finite number';
    case 'boolean':
    case 'object':
      return undefined;
    default:
      return `is no JSON: ${typeof value}`;
  }
}

function charsOf({ value, key }: Place): number {
  return 2 + (typeof key === 'string' ? key.length : 0) + (typeof value === 'string' ? value.length : 0);
}

function pushInner(stack: Place[], parent: Place): void {
  const { value } = parent;
  if (typeof value !== 'object' || value === null) return;
  const depth = parent.depth + 1;
  if (Array.isArray(value)) {
    for (const [key, inner] of value.entries()) stack.push({ value: inner, key, parent, depth });
    return;
  }
  for (const key of Object.keys(value))
    stack.push({ value: (value as Record<string, unknown>)[key], key, parent, depth });
}

function pathOf(place: Place): string {
  const parts: PropertyKey[] = [];
  for (let at: Place | undefined = place; at?.parent !== undefined; at = at.parent) parts.unshift(at.key);
  return pathText(parts);
}

/** A path as people read it: `rules[2].when`. */
export function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text.replace(/^\./, '').slice(0, MAX_PATH_CHARS);
}
