import type { Answer } from './answer.ts';
import type { CompiledRuleset } from './compile.ts';
import type { Context } from './truth.ts';

const NO_ATTRIBUTES: Context = Object.freeze({});

/**
 * What the flag `key` answers to `context` at `nowMs` (milliseconds since 1970). Pure, total: never throws, whatever the
 * context is; one that is no object counts as empty.
 */
export function evaluate(compiled: CompiledRuleset, key: string, context: unknown, nowMs: number): Answer {
  const flag = compiled.flags.get(key);
  if (flag === undefined) return { kind: 'Failed', errorCode: 'FLAG_NOT_FOUND', metadata: metadataOf(compiled) };
  try {
    return flag.answer(isContext(context) ? context : NO_ATTRIBUTES, nowMs);
  } catch {
    // Only what is no JSON gets here: a getter or a proxy that throws.
    return { kind: 'Failed', errorCode: 'GENERAL', metadata: metadataOf(compiled) };
  }
}

function isContext(value: unknown): value is Context {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function metadataOf({ flagSetId, revision }: CompiledRuleset) {
  return { flagSetId, version: String(revision) };
}
