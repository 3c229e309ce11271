import type { Condition, TimeWindow } from '../../wire/condition.ts';
import type { Flag } from '../../wire/flag.ts';
import { parseRfc3339 } from './rfc3339.ts';

/** The times for the list in a ruleset: when answers may change by the clock alone. Ascending, each once, as first written. */
export function timeBoundaries(flags: Readonly<Record<string, Flag>>): string[] {
  return windowTimes(flags).map(({ text }) => text);
}

/** The same with milliseconds since 1970. */
export function windowTimes(flags: Readonly<Record<string, Flag>>): readonly { ms: number; text: string }[] {
  const texts = new Map<number, string>();
  for (const flag of Object.values(flags)) {
    for (const { after, before } of conditionsOf(flag).flatMap(windowsIn)) {
      for (const text of [after, before]) {
        const ms = text === undefined ? undefined : parseRfc3339(text);
        if (ms !== undefined && text !== undefined && !texts.has(ms)) texts.set(ms, text);
      }
    }
  }
  return [...texts].map(([ms, text]) => ({ ms, text })).sort((one, other) => one.ms - other.ms);
}

function conditionsOf({ segments = {}, experiments = [], rules }: Flag): Condition[] {
  return [...Object.values(segments), ...[...experiments, ...rules].flatMap(({ when }) => when ?? [])];
}

function windowsIn(condition: Condition): TimeWindow[] {
  if ('time' in condition) return [condition.time];
  if ('not' in condition) return windowsIn(condition.not);
  if ('all' in condition) return condition.all.flatMap(windowsIn);
  return 'any' in condition ? condition.any.flatMap(windowsIn) : [];
}
