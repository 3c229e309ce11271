import { SluiceError } from '../base/errors.ts';
import { LIMITS } from './limits.ts';

/**
 * The canonical text of a JSON value, RFC 8785: keys sorted by UTF-16 units, no white space, numbers as ECMAScript
 * writes them. Throws SLUICE_JSON_NOT_CANONICAL for what has no such text: lone surrogates, NaN and infinities,
 * undefined, functions, more than 64 levels.
 */
export function canonicalJson(value: unknown): string {
  return textOf(value, 0);
}

function textOf(value: unknown, depth: number): string {
  if (depth > LIMITS.depth) throw notCanonical(`nested deeper than ${LIMITS.depth} levels`);
  switch (typeof value) {
    case 'string':
      return stringText(value);
    case 'number':
      if (!Number.isFinite(value)) throw notCanonical(String(value));
      return JSON.stringify(value);
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map((inner) => textOf(inner, depth + 1)).join(',')}]`;
      return objectText(value as Record<string, unknown>, depth);
    default:
      throw notCanonical(typeof value);
  }
}

function objectText(value: Record<string, unknown>, depth: number): string {
  // The default order of sort() is that of UTF-16 units, which the RFC asks for in §3.2.3.
  const members = Object.keys(value)
    .sort()
    .map((key) => `${stringText(key)}:${textOf(value[key], depth + 1)}`);
  return `{${members.join(',')}}`;
}

function stringText(text: string): string {
  if (!text.isWellFormed()) throw notCanonical('a lone surrogate');
  return JSON.stringify(text);
}

function notCanonical(what: string): SluiceError {
  return new SluiceError('SLUICE_JSON_NOT_CANONICAL', `no canonical JSON for ${what}`);
}
