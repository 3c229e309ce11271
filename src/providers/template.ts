import type { DurationMs } from '../base/units.ts';
import { escapeForRegex, escapeForString } from './promql-string.ts';
import { type Name, type Piece, type TemplateProblem, TemplateReader } from './template-reader.ts';

export const MAX_TEMPLATE_BYTES = 8 * 1024;

/** What the placeholders stand for. `window` is a positive whole number of milliseconds. */
export type TemplateValues = Readonly<Record<Name, string>> & { readonly window: DurationMs };

/** A query whose placeholders all stand where a value can do no harm. */
export interface Template {
  readonly kind: 'Template';
  readonly pieces: readonly Piece[];
}

/**
 * Reads a PromQL query with placeholders. Names are accepted only inside the quoted value of a label matcher, `{{window}}`
 * only where a duration can stand, and nothing is replaced in comments. Answers at most 10 problems. What else may be
 * wrong with the query is for the provider to say.
 */
export function parseTemplate(text: string): Template | { kind: 'Problems'; problems: readonly TemplateProblem[] } {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_TEMPLATE_BYTES) {
    const message = `the query has ${bytes} bytes, more than ${MAX_TEMPLATE_BYTES}`;
    return { kind: 'Problems', problems: [{ code: 'SLUICE_QUERY_TOO_LONG', message, line: 1, column: 1 }] };
  }
  const reader = new TemplateReader(text);
  reader.readQuery();
  return reader.problems.length > 0
    ? { kind: 'Problems', problems: reader.problems }
    : { kind: 'Template', pieces: reader.pieces };
}

/** The query with its values in place. One pass: a value that looks like a placeholder stays what it is. */
export function renderTemplate(template: Template, values: TemplateValues): string {
  return template.pieces.map((piece) => renderPiece(piece, values)).join('');
}

function renderPiece(piece: Piece, values: TemplateValues): string {
  switch (piece.kind) {
    case 'Text':
      return piece.text;
    case 'Window':
      return promqlDuration(values.window);
    case 'Name': {
      const value = values[piece.name];
      return escapeForString(piece.within === 'Regex' ? escapeForRegex(value) : value);
    }
  }
}

function promqlDuration(ms: DurationMs): string {
  if (!Number.isSafeInteger(ms) || ms <= 0) throw new Error(`a window of ${ms} ms is no duration`);
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
