import { LIMITS } from '../wire/limits.ts';
import { invalid } from './refusal.ts';

/** The value of a JSON text; undefined for an empty one. Throws a Refusal. Keys are data, `__proto__` too: nothing is merged. */
export function parseBody(text: string): unknown {
  if (text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('the body is no JSON');
  }
  if (!isWithinDepth(value, LIMITS.depth)) {
    throw invalid(`the body is nested deeper than ${LIMITS.depth} levels`, 'INVALID_CONTEXT');
  }
  return value;
}

/** The recursion is as deep as `levels`, whatever the value is. */
function isWithinDepth(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) return value.every((inner) => isWithinDepth(inner, levels - 1));
  for (const key in value) if (!isWithinDepth((value as Record<string, unknown>)[key], levels - 1)) return false;
  return true;
}

/** A body that must be an object, or absent. */
export function objectBody(body: unknown): Readonly<Record<string, unknown>> {
  if (body === undefined || body === null) return {};
  if (!isObject(body)) throw invalid('the body must be a JSON object');
  return body;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
