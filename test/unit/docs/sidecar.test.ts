import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync('docs/sidecar.md', 'utf8');
const all = (path: string, pattern: RegExp): string[] =>
  [...readFileSync(path, 'utf8').matchAll(pattern)].map(([, found]) => found!);

test('docs/sidecar.md lists every metric of the sidecar', () => {
  const metrics = all('src/evaluator/evaluator-metrics.ts', /'(sluice_[a-z_]+)'/g);
  expect(metrics.length).toBeGreaterThan(8);
  expect(metrics.filter((metric) => !new RegExp(`\`${metric}[\`{]`).test(page))).toEqual([]);
});

test('docs/sidecar.md lists every endpoint', () => {
  for (const path of [
    '/ofrep/v1/evaluate/flags',
    '/ofrep/v1/events',
    '/evaluate',
    '/config-bundle',
    '/config-bundle/public-key',
  ])
    expect(page).toContain(`${path}\``);
});
