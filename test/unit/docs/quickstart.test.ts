import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const page = readFileSync('docs/quickstart.md', 'utf8');

test('the quickstart names the share of copies that the shop’s Rollout has', () => {
  const { spec } = parse(readFileSync('examples/shop/manifests/rollout.yaml', 'utf8'));
  const percent = spec.steps.find((step: { shadow?: object }) => step.shadow).shadow.percent;
  const words: Record<number, string> = { 5: 'a twentieth', 10: 'a tenth', 20: 'a fifth', 25: 'a quarter' };
  expect(page).toContain(`copies of ${words[percent]} of the`);
});

test('no command of the quickstart knows where the cache lies: it may be elsewhere, and hold several versions', () => {
  expect(page).not.toContain('.cache/sluice/bin');
});
