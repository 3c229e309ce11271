/** A token of plain PromQL; a string's `text` is what it decodes to. */
interface PromqlToken {
  readonly kind: 'String' | 'Word' | 'Number' | 'Sign';
  readonly text: string;
}

/**
 * The tokens of a query, read strictly as Prometheus reads them (promql/parser/lex.go and util/strutil/quote.go), and
 * written apart from the product's own reader so that the two can be compared. Throws on what Prometheus would refuse.
 */
export function lexPromql(query: string): PromqlToken[] {
  const tokens: PromqlToken[] = [];
  const chars = [...query];
  let i = 0;
  while (i < chars.length) {
    const c = chars[i]!;
    if (' \t\r\n'.includes(c)) i++;
    else if (c === '#') while (i < chars.length && !'\r\n'.includes(chars[i]!)) i++;
    else if (`"'\``.includes(c)) {
      const [text, next] = readString(chars, i);
      tokens.push({ kind: 'String', text });
      i = next;
    } else if (/[\w.:]/.test(c)) {
      let text = '';
      while (i < chars.length && /[\w.:]/.test(chars[i]!)) text += chars[i++];
      tokens.push({ kind: /^[\d.]/.test(text) ? 'Number' : 'Word', text });
    } else if (`{}[]()=~!<>+-*/%^@,`.includes(c)) {
      tokens.push({ kind: 'Sign', text: c });
      i++;
    } else throw new Error(`unexpected character ${JSON.stringify(c)}`);
  }
  return tokens;
}

const simple: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' };
const digits: Record<string, number> = { x: 2, u: 4, U: 8 };

function readString(chars: string[], start: number): [text: string, next: number] {
  const quote = chars[start]!;
  let text = '';
  for (let i = start + 1; ; i++) {
    const c = chars[i];
    if (c === undefined || (c === '\n' && quote !== '`')) throw new Error('unterminated string');
    if (c === '\uFFFD' || !c.isWellFormed()) throw new Error('invalid UTF-8 rune');
    if (c === quote) return [text, i + 1];
    if (c !== '\\' || quote === '`') {
      text += c;
      continue;
    }
    const e = chars[++i] ?? '';
    if (e in simple || e === quote) text += simple[e] ?? e;
    else if (e in digits || /[0-7]/.test(e)) {
      const length = digits[e] ?? 3;
      const from = e in digits ? i + 1 : i;
      const code = chars.slice(from, from + length).join('');
      if (!(e in digits ? /^[0-9a-fA-F]+$/ : /^[0-7]+$/).test(code) || code.length < length)
        throw new Error('bad escape');
      const point = Number.parseInt(code, e in digits ? 16 : 8);
      if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) throw new Error('invalid code point');
      text += String.fromCodePoint(point);
      i = from + length - 1;
    } else throw new Error(`unknown escape ${e}`);
  }
}
