import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { evaluatorDocument } from '../../../src/evaluator/http-document.ts';
import { operations } from '../../../src/server/api/operations.ts';
import type { Operation } from '../../../src/wire/openapi.ts';

const page = readFileSync('docs/sidecar.md', 'utf8');
const all = (path: string, pattern: RegExp): string[] =>
  [...readFileSync(path, 'utf8').matchAll(pattern)].map(([, found]) => found!);

test('docs/sidecar.md lists every metric of the sidecar', () => {
  const metrics = all('src/evaluator/evaluator-metrics.ts', /'(sluice_[a-z_]+)'/g);
  expect(metrics.length).toBeGreaterThan(8);
  expect(metrics.filter((metric) => !new RegExp(`\`${metric}[\`{]`).test(page))).toEqual([]);
});

test('docs/sidecar.md lists every endpoint', () => {
  const paths = Object.keys(evaluatorDocument(false).paths as object);
  expect(paths.length).toBeGreaterThan(5);
  for (const path of paths) expect(page).toContain(`${path}\``);
});

test('docs/api.md lists every operation of the HTTP API', () => {
  const text = readFileSync('docs/api.md', 'utf8');
  for (const { method, path, isPublic = false } of Object.values(operations) as Operation[])
    if (!isPublic) expect(text).toContain(`| \`${method.toUpperCase()} ${path}\``);
});
