import { readFileSync } from 'node:fs';
import { readCatalog } from '../../hack/statistics/catalog.ts';

export const catalogEntries = readCatalog().entries;

interface DocumentedExample {
  readonly call: { readonly fn: string; readonly args?: Record<string, unknown> };
  readonly line: string;
  readonly answer: unknown;
}

const page = readFileSync(new URL('../../docs/statistics.md', import.meta.url), 'utf8');

/** What users read in docs/statistics.md: lines for the evaluator, and their answers to 10 digits. */
export const documentedExamples: readonly DocumentedExample[] = [
  ...page.matchAll(/```json\n(\{"fn":.*)\n(\{"result":.*)\n```/g),
].map(([, line, answer]) => ({
  call: JSON.parse(line as string) as DocumentedExample['call'],
  line: line as string,
  answer: JSON.parse(answer as string) as unknown,
}));
