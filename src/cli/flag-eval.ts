import { SluiceError } from '../base/errors.ts';
import type { EpochMs } from '../base/units.ts';
import type { Answer } from '../core/evaluation/answer.ts';
import { compileRuleset } from '../core/evaluation/compile.ts';
import { evaluate } from '../core/evaluation/evaluate.ts';
import { decideFlags } from '../core/flags/decide.ts';
import { readFlag } from '../core/flags/flag-source.ts';
import { type FlagObject, featureFlags, keyOfFlag } from '../flags/flag-object.ts';
import type { Connection } from './ports.ts';

const MAX_CONTEXT_CHARS = 1_048_576;

/** The context of `--context`: a JSON object. */
export function contextOf(text: string): object {
  const wrong = (why: string) => new SluiceError('SLUICE_CLI_ARGUMENT', `--context ${why}`);
  if (text.length > MAX_CONTEXT_CHARS) throw wrong(`has more than ${MAX_CONTEXT_CHARS} characters`);
  let context: unknown;
  try {
    context = JSON.parse(text);
  } catch {
    throw wrong('is no JSON; such as \'{"targetingKey":"user-1","country":"DE"}\'');
  }
  if (typeof context !== 'object' || context === null || Array.isArray(context)) throw wrong('is no JSON object');
  return context;
}

interface Evaluated {
  /** What was meant: of the name of a FeatureFlag its key. */
  readonly key: string;
  readonly answer: Answer;
}

/** What the flag of a key, else of a name, answers as it stands, computed here with what evaluators compute with. */
export async function evaluateFlag(
  { client, namespace }: Connection,
  { key, context, now }: { readonly key: string; readonly context: object; readonly now: EpochMs },
  signal: AbortSignal,
): Promise<Evaluated> {
  const { items } = await client.list(featureFlags, { namespace }, { signal });
  const named = items.some((item) => keyOfFlag(item) === key)
    ? undefined
    : items.find(({ metadata }) => metadata.name === key);
  const meant = named ? keyOfFlag(named) : key;
  return { key: meant, answer: answerOf(namespace, items, { key: meant, context, now }) };
}

export function answerOf(
  namespace: string,
  objects: readonly FlagObject[],
  { key, context, now }: { readonly key: string; readonly context: object; readonly now: EpochMs },
): Answer {
  const flags = objects.map((object) => {
    const { source, status, text, spec } = readFlag(object);
    const { purpose, expiresAfter: expiresAt } = spec ?? { purpose: undefined, expiresAfter: undefined };
    return { source, status, spec: text, generation: 0, author: undefined, changedAt: undefined, purpose, expiresAt };
  });
  const { ruleset } = decideFlags(
    { namespace, flags, builtIn: {}, publishedHere: 0, published: undefined, unitHashSalt: '' },
    now,
  );
  if (!ruleset) throw new SluiceError('SLUICE_CLI_NO_FLAG', `there is no FeatureFlag in the namespace ${namespace}`);
  return evaluate(compileRuleset({ ...ruleset, issuedAt: new Date(now).toISOString() }), key, context, now);
}
