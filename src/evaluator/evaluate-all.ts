import { evaluate } from '../core/evaluation/evaluate.ts';
import type { Context } from '../core/evaluation/truth.ts';
import type { HeldRuleset } from '../rulesets/holder.ts';
import type { AnswerTexts } from './answer-texts.ts';
import type { AnswerPorts } from './ports.ts';
import { failClosed, notReady, overloaded } from './refusal.ts';

/** For one request, measured between flags; a flag by itself is bounded by its size. */
const DEADLINE_MS = 1_000;
const FLAGS_BETWEEN_LOOKS = 64;

/** The ruleset that a request is answered by, from its beginning to its end. */
export function heldBy({ holder }: AnswerPorts): HeldRuleset {
  if (!holder.current) throw notReady();
  if (holder.expired) throw failClosed();
  return holder.current;
}

/** Answers for many flags by one ruleset at one time, as a list in JSON. Throws a Refusal when they take longer than a second. */
export function evaluateAll(
  { holder, clock, counts }: AnswerPorts,
  { compiled }: HeldRuleset,
  texts: AnswerTexts,
  asked: { readonly keys: Iterable<string>; readonly context: Context; readonly nowMs: number },
): string {
  const { keys, context, nowMs } = asked;
  const { stale } = holder;
  const items: string[] = [];
  for (const key of keys) {
    const isDue = items.length % FLAGS_BETWEEN_LOOKS === FLAGS_BETWEEN_LOOKS - 1;
    if (isDue && clock.now() - nowMs > DEADLINE_MS) throw overloaded('the flags take longer than a second');
    const answer = evaluate(compiled, key, context, nowMs);
    counts.count(key, answer);
    items.push(texts.textOf(compiled, key, answer, stale));
  }
  return `[${items.join(',')}]`;
}
