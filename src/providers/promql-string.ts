/** The quotes of PromQL's string literals. Backquoted literals are raw: they know no escapes. */
export type Quote = '"' | "'" | '`';

/** Exactly the escapes that Prometheus' lexer accepts; the fourth form is the quote of the literal itself. */
const escapeSequence = /\\(?:([abfnrtv\\])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(["']))/y;
const named: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' };

/** The escape that begins at `offset`: its decoded character and length, or `undefined` when PromQL has no such escape. */
export function readEscape(text: string, offset: number, quote: Quote): { char: string; length: number } | undefined {
  escapeSequence.lastIndex = offset;
  const found = escapeSequence.exec(text);
  if (!found) return undefined;
  const [whole, name, hex2, hex4, hex8, octal, quoted] = found;
  if (name !== undefined) return { char: named[name] ?? '', length: whole.length };
  if (quoted !== undefined) return quoted === quote ? { char: quoted, length: whole.length } : undefined;
  const point = octal === undefined ? Number.parseInt(hex2 ?? hex4 ?? hex8 ?? '', 16) : Number.parseInt(octal, 8);
  const limit = octal === undefined && hex2 === undefined ? 0x10ffff : 255;
  if (point > limit || (point >= 0xd800 && point < 0xe000)) return undefined;
  return { char: String.fromCodePoint(point), length: whole.length };
}

/**
 * `value` as the inside of a single- or double-quoted literal. Everything but harmless printable ASCII is written as an
 * escape, so neither quote, line end, backslash nor any character that the lexer refuses can end the literal. A lone
 * surrogate has no UTF-8 form and becomes U+FFFD.
 */
export function escapeForString(value: string): string {
  return value.toWellFormed().replace(/[^ -~]|["'\\`]/gu, (char) => {
    const point = char.codePointAt(0) ?? 0;
    return point > 0xffff ? `\\U${point.toString(16).padStart(8, '0')}` : `\\u${point.toString(16).padStart(4, '0')}`;
  });
}

/** `value` as RE2 text that matches exactly `value`, as one group, so that a quantifier after it applies to all of it. */
export function escapeForRegex(value: string): string {
  return `(?:${value.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')})`;
}

/** Where a value may not be put into RE2 text, given all text before it; `undefined` when it may. */
export function badRegexPosition(before: string): string | undefined {
  let inClass = false;
  for (let i = 0; i < before.length; i++) {
    if (before[i] === '\\') {
      if (i + 1 === before.length) return 'after a backslash';
      if (before[i + 1] === 'Q') return 'after \\Q';
      i++;
    } else if (inClass) {
      const posix = before[i] === '[' ? /^\[:\^?\w*:\]/.exec(before.slice(i, i + 16)) : null;
      if (posix) i += posix[0].length - 1;
      else if (before[i] === ']') inClass = false;
    } else if (before[i] === '[') {
      inClass = true;
      // A bracket that stands first in its class is a member of it.
      if (before[i + 1] === '^') i++;
      if (before[i + 1] === ']') i++;
    }
  }
  return inClass ? 'inside a character class' : undefined;
}
