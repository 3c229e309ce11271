import { z } from 'zod';
import type { EpochMs } from '../base/units.ts';
import { constrained } from './constraint.ts';

/** The name of a namespaced object: RFC 1123 subdomain. */
export const objectName = (description: string) =>
  z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be lower-case letters, digits, "-" and "."')
    .max(253)
    .describe(description);

/** The name of a Service or of an entry in a list: RFC 1123 label. */
export const labelName = (description: string) =>
  z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower-case letters, digits and "-"')
    .max(63)
    .describe(description);

/** A time: RFC 3339 in the resource, milliseconds since 1970 inside. */
export const time = (description: string) =>
  z
    .codec(z.iso.datetime({ offset: true }), z.custom<EpochMs>(), {
      decode: (text) => Date.parse(text) as EpochMs,
      encode: (ms) => new Date(ms).toISOString(),
    })
    .describe(description);

/** Percent with at most two decimals, 0..100; basis points are its hundredfold. */
export const percent = (description: string) =>
  constrained(z.number().min(0).max(100), description, {
    // Not `multipleOf: 0.01`: the API server cuts that to 0 where the value is a whole number.
    rule: 'int(self * 1000000.0 + 0.5) % 10000 == 0',
    message: 'must have at most two decimals',
    holds: (percents) => Math.floor(percents * 1_000_000 + 0.5) % 10_000 === 0,
  });

/**
 * Text for people in a status, of at most `maxLength` UTF-16 units. Longer text is cut on the way out and never
 * refused: a status that cannot be written for a long error message would hide what Sluice did.
 */
export const prose = (maxLength: number, description: string) =>
  z
    .codec(z.string().max(maxLength), z.string(), { decode: (text) => text, encode: (text) => cut(text, maxLength) })
    .describe(description);

function cut(text: string, maxLength: number): string {
  const whole = text.toWellFormed();
  if (whole.length <= maxLength) return whole;
  // Cutting inside a surrogate pair leaves a lone half, which UTF-8 cannot say.
  return `${whole.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
