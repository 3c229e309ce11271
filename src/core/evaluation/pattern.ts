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

/** One member of a class, or what stands between classes: an escape, `[:alpha:]`, or a character. */
const PART = /\\x\{([0-9a-fA-F]+)\}|\\(.)|(\[:\^?[a-z]+:\])|(.)/gsu;

/** At least what the ranges of all classes hold. */
function charsInRanges(text: string): number {
  let sum = 0;
  /** Where a class is open: its last member, of which a `-` may make a range, and whether that `-` stood there. */
  let open: { readonly last: number | undefined; readonly isRange: boolean; readonly size: number } | undefined;
  for (const [, hex, escaped, named, plain] of text.matchAll(PART)) {
    if (!open) {
      if (plain === '[') open = { last: undefined, isRange: false, size: 0 };
      continue;
    }
    // A `]` that comes first, also after `^`, is a member.
    if (plain === ']' && open.size > 0) open = undefined;
    else if (plain === '^' && open.size === 0) open = { ...open, last: undefined };
    else if (plain === '-' && open.last !== undefined && !open.isRange) open = { ...open, isRange: true };
    else if (named !== undefined) open = { last: undefined, isRange: false, size: open.size + 1 };
    else {
      const at = hex === undefined ? ((escaped ?? plain)?.codePointAt(0) ?? 0) : Number.parseInt(hex, 16);
      if (open.isRange) sum += Math.max(0, at - (open.last ?? 0));
      open = { last: open.isRange ? undefined : at, isRange: false, size: open.size + 1 };
    }
  }
  return sum;
}
