import type { PrometheusQuery } from '../../api/metric.ts';
import { parseTemplate, type Template } from '../../providers/template.ts';
import { keptFor } from './parsed.ts';

/** A query's template, or what is wrong with it, in a sentence. */
export function readQuery(text: string): Template | { readonly kind: 'Mistake'; readonly mistake: string } {
  const template = parseTemplate(text);
  if (template.kind === 'Template') return template;
  const [problem] = template.problems;
  return { kind: 'Mistake', mistake: `line ${problem?.line}, column ${problem?.column}: ${problem?.message}` };
}

/** What is wrong with the templates of a query, whatever they are filled with. */
export const mistakeOf = keptFor(({ query, requestsQuery }: PrometheusQuery): { readonly mistake?: string } => {
  for (const text of [query, requestsQuery]) {
    const read = text === undefined ? undefined : readQuery(text);
    if (read?.kind === 'Mistake') return { mistake: read.mistake };
  }
  return {};
});
