import { RE2JS } from 're2js';

/** Longer texts are not matched (the comparison is unknown): time grows with text times pattern. */
export const MAX_MATCHED_CHARS = 1_024;
/** Steps of the compiled pattern; with the bound on texts a match takes less than about 0.2 s at the very worst. */
const MAX_INSTRUCTIONS = 500;

export interface Pattern {
  /** Whether the pattern is found anywhere in the text. */
  isIn(text: string): boolean;
}

/** A regular expression in RE2 syntax, which is matched without backtracking, or why it is none. */
export function compilePattern(text: string): Pattern | { readonly unusable: string } {
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
