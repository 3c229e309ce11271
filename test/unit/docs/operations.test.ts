import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync('docs/operations.md', 'utf8');
const source = (pattern: string): string =>
  globSync(pattern)
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
const shown = (name: string): boolean => page.includes(`\`${name}\``);

test('docs/operations.md explains every reason and event of a Rollout', () => {
  const text = source('src/core/rollout/**/*.ts').replace(/^export type [\s\S]*?;$/gm, '');
  const reasons = new Set([
    // wait('Paused', …), doing('Lowering', …), act(…), go(…), notReady(…), and whatever is given as `reason:`
    ...all(text, /\b(?:wait|doing|act|go|notReady)\(\s*'([A-Z][A-Za-z]+)'/g),
    ...all(text, /\bwaitFor\([^;]*?'([A-Z][A-Za-z]+)'/g),
    ...all(text, /\breason: (?:[^,\n]*\? )?'([A-Z][A-Za-z]+)'/g),
    ...all(text, /\breason: [^,\n]* : '([A-Z][A-Za-z]+)'/g),
    ...all(text, /beginRetreat\(\s*seen,\s*flight,\s*'([A-Z][A-Za-z]+)'/g),
    ...all(source('src/traffic/gateway-api/{conditions,next-step}.ts'), /\breason: '([A-Z][A-Za-z]+)'/g),
  ]);
  expect(reasons.size).toBeGreaterThan(70);
  expect([...reasons].filter((reason) => !shown(reason))).toEqual([]);
});

test('docs/operations.md lists every metric of the operator', () => {
  const metrics = all(source('src/server/operator-metrics.ts'), /'(sluice_[a-z_]+)'/g);
  expect(metrics.length).toBeGreaterThan(8);
  expect(metrics.filter((metric) => !shown(metric))).toEqual([]);
});

test('docs/operations.md lists every value of the chart', () => {
  const names = all(readFileSync('charts/sluice/values.yaml', 'utf8'), /^([a-zA-Z]+):/gm);
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !new RegExp(`\`${name}[\`.]`).test(page))).toEqual([]);
});

const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found]) => found!);
