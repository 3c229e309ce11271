import { z } from 'zod';
import type { DurationMs } from '../base/units.ts';
import { constrained } from './constraint.ts';

const PART = /(\d+(?:\.\d{1,3})?)(ms|s|m|h|d)/g;
export const DURATION_PATTERN = /^(\d+(\.\d{1,3})?(ms|s|m|h|d)){1,5}$/;
const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** One year. Longer is a typing mistake, and sums of such times stay far from 2^53. */
const LONGEST_MS = 365 * UNIT_MS.d;

/** Milliseconds of a text like `90s`, `1h30m`, `14d`, or undefined where it is none. */
export function parseDuration(text: string): DurationMs | undefined {
  if (!DURATION_PATTERN.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit] of text.matchAll(PART)) sum += Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return sum <= LONGEST_MS ? (Math.round(sum) as DurationMs) : undefined;
}

/** The shortest text for a length of time, exact to the millisecond: 90_000 → `1m30s`. */
export function formatDuration(ms: DurationMs): string {
  let rest: number = ms;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / UNIT_MS[unit]);
    rest -= count * UNIT_MS[unit];
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}

/** A duration field: a string in the resource, milliseconds everywhere inside. */
export const duration = (description: string) => durationCodec().describe(description);

/** A duration field of at least `least`, which must have a unit that Go knows (no `d`). */
export function durationOfAtLeast(least: string, description: string) {
  const leastMs = parseDuration(least);
  if (leastMs === undefined) throw new Error(`not a duration: ${least}`);
  return constrained(durationCodec(), description, {
    // CEL knows no days.
    rule: `self.contains('d') ? self.matches('[1-9]') : duration(self) >= duration('${least}')`,
    message: `must be at least ${least}`,
    holds: (ms) => ms >= leastMs,
  });
}

const durationCodec = () =>
  z.codec(z.string().regex(DURATION_PATTERN, 'must be a duration like 90s or 1h30m').max(32), z.custom<DurationMs>(), {
    decode: (text, context) => {
      const ms = parseDuration(text);
      if (ms !== undefined) return ms;
      context.issues.push({ code: 'custom', input: text, message: 'must be at most 365d' });
      return z.NEVER;
    },
    encode: formatDuration,
  });
