import type { Context } from './truth.ts';

/**
 * The unit that `attribute` of the context names: a text that is not empty, or a whole number as text. Undefined for
 * all else: an empty text would put everybody without a name into one bucket, and other numbers are not written the
 * same way in every language.
 */
export function unitOf(context: Context, attribute: string): string | undefined {
  const value = context[attribute];
  if (typeof value === 'string') return value === '' ? undefined : value;
  return Number.isSafeInteger(value) ? String(value) : undefined;
}
