import type { Code } from '../base/errors.ts';
import { badRegexPosition, escapeForString, type Quote, readEscape } from './promql-string.ts';

const MAX_PROBLEMS = 10;

const names = ['namespace', 'rollout', 'service', 'canaryHash', 'stableHash'] as const;
/** The placeholders that stand for a name. */
export type Name = (typeof names)[number];

/** A part of a template: text as it is, or a place for a value. */
export type Piece =
  | { readonly kind: 'Text'; readonly text: string }
  | { readonly kind: 'Name'; readonly name: Name; readonly within: 'Literal' | 'Regex' }
  | { readonly kind: 'Window' };

/** A mistake in a template. `line` and `column` count from 1, in UTF-16 units. */
export interface TemplateProblem {
  readonly code: Code;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

const placeholder = /\{\{[ \t]*([A-Za-z]+)[ \t]*\}\}/y;

/** One pass over one template, following the states of Prometheus' lexer that decide what a quote or brace means. */
export class TemplateReader {
  readonly pieces: Piece[] = [];
  readonly problems: TemplateProblem[] = [];
  readonly #text: string;
  #at = 0;
  #inBraces = false;
  #inBrackets = false;
  /** The last characters that are neither space nor comment: they tell which matcher a string belongs to. */
  #before = '';

  constructor(text: string) {
    this.#text = text;
  }

  readQuery(): void {
    while (this.#at < this.#text.length && this.problems.length < MAX_PROBLEMS) {
      const char = this.#text[this.#at] ?? '';
      if (char === '#') this.#readComment();
      else if (char === '"' || char === "'" || char === '`') this.#readString(char);
      else if (this.#text.startsWith('{{', this.#at)) this.#readWindow();
      else this.#readPlain(char);
    }
  }

  #readPlain(char: string): void {
    if (char === '{') this.#inBraces = true;
    else if (char === '}') this.#inBraces = false;
    else if (char === '[') this.#inBrackets = true;
    else if (char === ']') this.#inBrackets = false;
    if (!/[ \t\r\n]/.test(char)) this.#before = (this.#before + char).slice(-2);
    this.#addText(char);
    this.#at++;
  }

  #readComment(): void {
    const end = /[\r\n]|$/g;
    end.lastIndex = this.#at;
    const stop = end.exec(this.#text)?.index ?? this.#text.length;
    this.#addText(this.#text.slice(this.#at, stop));
    this.#at = stop;
  }

  #readWindow(): void {
    const start = this.#at;
    const name = this.#readName();
    if (name === undefined) return;
    if (name !== 'window') {
      this.#misplaced(start, `{{${name}}} stands outside of a label matcher's quoted value`);
      return;
    }
    // A neighbour that could join the duration would make another token of it.
    const joins = this.#inBrackets ? /[\w.]/ : /[\w.:]/;
    const neighbours = [this.#text[start - 1] ?? '', this.#text[this.#at] ?? ''];
    if (this.#inBraces || neighbours.some((c) => joins.test(c)) || this.#text.startsWith('{{', this.#at)) {
      this.#misplaced(start, '{{window}} stands where no duration can stand');
    }
    this.pieces.push({ kind: 'Window' });
    this.#before = '}}';
  }

  #readString(quote: Quote): void {
    const start = this.#at;
    const literal = new Literal(quote, this.#matcher());
    this.#at++;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined || (char === '\n' && quote !== '`')) {
        this.#problem('SLUICE_QUERY_STRING_INVALID', start, 'a string is not closed');
        this.#at = this.#text.length;
        return;
      }
      if (char === quote) break;
      if (this.#text.startsWith('{{', this.#at)) this.#readInString(literal);
      else this.#readChar(char, literal);
    }
    this.#at++;
    for (const piece of literal.finish()) {
      if (piece.kind === 'Text') this.#addText(piece.text);
      else this.pieces.push(piece);
    }
    this.#before = quote;
  }

  #readChar(char: string, literal: Literal): void {
    if (char !== '\\' || literal.quote === '`') {
      literal.addText(char, char);
      this.#at++;
      return;
    }
    const found = readEscape(this.#text, this.#at, literal.quote);
    if (!found)
      this.#problem('SLUICE_QUERY_STRING_INVALID', this.#at, 'a string holds an escape that PromQL does not know');
    const length = found?.length ?? 1;
    literal.addText(this.#text.slice(this.#at, this.#at + length), found?.char ?? '');
    this.#at += length;
  }

  #readInString(literal: Literal): void {
    const start = this.#at;
    const name = this.#readName();
    if (name === undefined) return;
    if (name === 'window') this.#misplaced(start, '{{window}} stands inside a string');
    else if (!literal.matcher)
      this.#misplaced(start, `{{${name}}} stands in a string that is not a label matcher's value`);
    else {
      const bad = literal.matcher === 'Regex' ? badRegexPosition(literal.decoded) : undefined;
      if (bad) this.#misplaced(start, `{{${name}}} stands ${bad} of a regular expression`);
      literal.addName({ kind: 'Name', name, within: literal.matcher });
    }
  }

  /** Reads `{{name}}`; says so and goes past the braces when it is not one of ours. */
  #readName(): Name | 'window' | undefined {
    placeholder.lastIndex = this.#at;
    const found = placeholder.exec(this.#text);
    const name = found?.[1];
    if (found && (name === 'window' || isName(name))) {
      this.#at += found[0].length;
      return name;
    }
    const shown = found ? found[0] : '{{';
    this.#problem('SLUICE_QUERY_PLACEHOLDER_UNKNOWN', this.#at, `${shown} is not a placeholder`);
    this.#at += shown.length;
    return undefined;
  }

  #matcher(): 'Literal' | 'Regex' | undefined {
    if (!this.#inBraces) return undefined;
    if (this.#before === '=~' || this.#before === '!~') return 'Regex';
    return this.#before.endsWith('=') ? 'Literal' : undefined;
  }

  #addText(text: string): void {
    const last = this.pieces.at(-1);
    if (last?.kind === 'Text') this.pieces[this.pieces.length - 1] = { kind: 'Text', text: last.text + text };
    else this.pieces.push({ kind: 'Text', text });
  }

  #misplaced(at: number, message: string): void {
    this.#problem('SLUICE_QUERY_PLACEHOLDER_MISPLACED', at, message);
  }

  #problem(code: Code, at: number, message: string): void {
    const lines = this.#text.slice(0, at).split('\n');
    this.problems.push({ code, message, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 });
  }
}

/** One string literal while it is read: its source, and what it decodes to so far. */
class Literal {
  readonly quote: Quote;
  readonly matcher: 'Literal' | 'Regex' | undefined;
  /** The decoded text so far, with a letter in place of each placeholder. */
  decoded = '';
  #source = '';
  #chunkDecoded = '';
  readonly #chunks: ({ source: string; decoded: string } | Extract<Piece, { kind: 'Name' }>)[] = [];

  constructor(quote: Quote, matcher: 'Literal' | 'Regex' | undefined) {
    this.quote = quote;
    this.matcher = matcher;
  }

  addText(source: string, decoded: string): void {
    this.#source += source;
    this.#chunkDecoded += decoded;
    this.decoded += decoded;
  }

  addName(piece: Extract<Piece, { kind: 'Name' }>): void {
    this.#endChunk();
    this.#chunks.push(piece);
    this.decoded += 'x';
  }

  /** Its pieces with quotes. A raw literal that takes a value is written anew in double quotes: raw has no escapes. */
  finish(): Piece[] {
    this.#endChunk();
    const requote = this.quote === '`' && this.#chunks.some((chunk) => 'kind' in chunk);
    const mark: Piece = { kind: 'Text', text: requote ? '"' : this.quote };
    const inner = this.#chunks.map(
      (chunk): Piece =>
        'kind' in chunk ? chunk : { kind: 'Text', text: requote ? escapeForString(chunk.decoded) : chunk.source },
    );
    return [mark, ...inner, mark];
  }

  #endChunk(): void {
    if (this.#source !== '') this.#chunks.push({ source: this.#source, decoded: this.#chunkDecoded });
    this.#source = '';
    this.#chunkDecoded = '';
  }
}

function isName(name: string | undefined): name is Name {
  return (names as readonly (string | undefined)[]).includes(name);
}
