import type { Answer } from '../core/evaluation/answer.ts';
import type { CompiledRuleset } from '../core/evaluation/compile.ts';
import { itemWithToken } from './answer-item.ts';

/** What stands before and after the bucket; without `after` there is none. */
interface Text {
  readonly before: string;
  readonly after?: string;
}

/**
 * Answers as JSON, for many at once. Those of one form differ in their bucket alone, so their text is made once. Each server has
 * texts of its own: what one may say is not for the other. Whatever the names and values are, the text is ASCII.
 */
export class AnswerTexts {
  readonly #fresh = new WeakMap<object, Text>();
  readonly #stale = new WeakMap<object, Text>();

  /** The item of this flag, as `itemWithToken` has it. */
  textOf(compiled: CompiledRuleset, key: string, answer: Answer, stale: boolean): string {
    // A token is made for one unit.
    if (answer.kind !== 'Served' || answer.assignment !== undefined)
      return asciiJson(itemWithToken(compiled, key, answer, stale));
    const texts = stale ? this.#stale : this.#fresh;
    let text = texts.get(answer.form);
    if (text === undefined) {
      text = split(asciiJson(itemWithToken(compiled, key, answer, stale)), answer.metadata.bucket);
      texts.set(answer.form, text);
    }
    return text.after === undefined ? text.before : `${text.before}${answer.metadata.bucket}${text.after}`;
  }
}

/** The last one is the metadata's: within a text its quotes would be escaped, and a value stands before. */
function split(text: string, bucket: number | undefined): Text {
  if (bucket === undefined) return { before: text };
  const name = '"bucket":';
  const end = text.lastIndexOf(name) + name.length;
  return { before: text.slice(0, end), after: text.slice(end + String(bucket).length) };
}

/** JSON whose characters are bytes: what is beyond ASCII is escaped (RFC 8259 §7). */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
