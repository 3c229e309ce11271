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

/** `[:alpha:]`, an escape, or a character. */
const PARTS = /\[:\^?[a-z]+:\]|\\x\{[0-9a-fA-F]+\}|\\.|./gsu;

/** At least what the ranges of all classes hold. */
function charsInRanges(text: string): number {
  const parts = text.match(PARTS) ?? [];
  // Whether a bracket is quoted by `\Q` is not followed: then all is taken for one class.
  const isQuoted = text.includes('\\Q');
  /** Index of the first member of the class that is open. */
  let first = isQuoted ? 0 : undefined;
  let sum = 0;
  for (const [i, part] of parts.entries()) {
    if (first === undefined) {
      if (part === '[') first = parts[i + 1] === '^' ? i + 2 : i + 1;
    } else if (part === ']' && i > first && !isQuoted) {
      first = undefined; // one that comes first is a member
    } else if (i - 2 >= first && parts[i - 1] === '-') {
      sum += Math.max(0, codePoint(part) - codePoint(parts[i - 2] ?? ''));
    }
  }
  return sum;
}

/** Of a character as it is written in a pattern; of other parts something small. */
function codePoint(part: string): number {
  const hex = /^\\x\{(.+)\}$/.exec(part)?.[1];
  return hex === undefined ? (part.codePointAt(part.startsWith('\\') ? 1 : 0) ?? 0) : Number.parseInt(hex, 16);
}
