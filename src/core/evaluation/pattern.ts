import { RE2JS } from 're2js';

/** Longer texts are not matched (the comparison is unknown): time grows with text times pattern. */
export const MAX_MATCHED_CHARS = 1_024;
/** Steps of the compiled pattern; with the bound on texts a match takes less than about 0.2 s at the very worst. */
const MAX_INSTRUCTIONS = 500;
/** Each class of characters by name is a table of some hundred ranges to be copied and sorted: about 0.3 ms. */
const MAX_NAMED_CLASSES = 32;
/** Characters in ranges that are compared without regard to case, each of which is looked at: about 3 ms. */
const MAX_FOLDED_CHARS = 30_000;

export interface Pattern {
  /** Whether the pattern is found anywhere in the text. */
  isIn(text: string): boolean;
}

/**
 * A regular expression in RE2 syntax, which is matched without backtracking, or why it is none. What would take long to
 * compile is refused before it is compiled: the size of the result says nothing about the way to it.
 */
export function compilePattern(text: string): Pattern | { readonly unusable: string } {
  const why = whyCostly(text);
  if (why !== undefined) return { unusable: why };
  try {
    const compiled = RE2JS.compile(text);
    if (compiled.programSize() > MAX_INSTRUCTIONS) {
      return { unusable: `is too large: ${compiled.programSize()} steps, at most ${MAX_INSTRUCTIONS}` };
    }
    return { isIn: (subject) => compiled.test(subject) };
  } catch (error) {
    return { unusable: `is no RE2 pattern: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function whyCostly(text: string): string | undefined {
  if ((text.match(/\\p/gi)?.length ?? 0) > MAX_NAMED_CLASSES) {
    return `is too large: more than ${MAX_NAMED_CLASSES} classes like \\pL`;
  }
  const ignoresCase = /\(\?[a-zA-Z-]*i/.test(text);
  return ignoresCase && charsInRanges(text) > MAX_FOLDED_CHARS
    ? `is too large: ranges of more than ${MAX_FOLDED_CHARS} characters in all, without regard to case`
    : undefined;
}

const CHARACTER = String.raw`\\x\{[0-9a-fA-F]+\}|\\.|[^\\]`;
const RANGE = new RegExp(`(${CHARACTER})-(?=(${CHARACTER}))`, 'gsu');

/** At least what the ranges of all classes hold. Where a class ends is not looked at: what is counted too much is narrow. */
function charsInRanges(text: string): number {
  const first = text.indexOf('[');
  let sum = 0;
  for (const [, from = '', to = ''] of first < 0 ? [] : text.slice(first).matchAll(RANGE))
    sum += Math.max(0, codePoint(to) - codePoint(from));
  return sum;
}

/** Of a character as it is written in a pattern. */
function codePoint(written: string): number {
  const hex = /^\\x\{(.+)\}$/.exec(written)?.[1];
  return hex === undefined ? (written.codePointAt(written.startsWith('\\') ? 1 : 0) ?? 0) : Number.parseInt(hex, 16);
}
