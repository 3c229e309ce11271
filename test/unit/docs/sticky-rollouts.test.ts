import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync('docs/sticky-rollouts.md', 'utf8');
const all = (path: string, pattern: RegExp) => [...readFileSync(path, 'utf8').matchAll(pattern)].map(([, one]) => one!);

test('docs/sticky-rollouts.md lists every metric of checks', () => {
  const metrics = all('src/evaluator/ext-authz/check-metrics.ts', /'(sluice_[a-z_]+)'/g);
  expect(metrics.length).toBeGreaterThan(2);
  expect(metrics.filter((metric) => !new RegExp(`\`${metric}[\`{]`).test(page))).toEqual([]);
});

test('and why a request is routed as it is', () => {
  const reasons = all('src/evaluator/ext-authz/route-request.ts', /^ {2}\| '(\w+)'/gm);
  expect(reasons.length).toBeGreaterThan(5);
  expect(reasons.filter((reason) => !new RegExp(`"${reason}"|\`${reason}\``).test(page))).toEqual([]);
});
