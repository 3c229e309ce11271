import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { codes } from '../../../src/base/errors.ts';

test('every code is used somewhere, so that docs/errors.md speaks of nothing that cannot happen', () => {
  const files = globSync(['src/**/*.ts', 'examples/**/*.ts']).filter(
    (path) => !path.startsWith('src/base/codes/') && path !== 'src/base/errors.ts',
  );
  const text = files.map((path) => readFileSync(path, 'utf8')).join('\n');
  // `SLUICE_PROVIDER_${what}_INVALID`
  const families = [...text.matchAll(/`(SLUICE_[A-Z_]*)\$\{\w+\}([A-Z_]*)`/g)].map(
    ([, start, end]) => new RegExp(`^${start}[A-Z]+${end}$`),
  );
  const used = new Set(text.match(/\bSLUICE_[A-Z0-9_]+\b/g));
  const unused = Object.keys(codes).filter((code) => !used.has(code) && !families.some((family) => family.test(code)));
  expect(unused).toEqual([]);
});

test('docs/errors.md says of every code where it is met; only a bug can show anywhere', () => {
  const [, anywhere = ''] = readFileSync('docs/errors.md', 'utf8').split('\n## Any\n');
  expect(anywhere.match(/SLUICE_[A-Z0-9_]+/g)).toEqual(['SLUICE_INTERNAL']);
});

test('docs/errors.md has every code once', () => {
  const listed = readFileSync('docs/errors.md', 'utf8').match(/^\| `SLUICE_[A-Z0-9_]+`/gm) ?? [];
  expect(listed.map((cell) => cell.slice(3, -1)).sort()).toEqual(Object.keys(codes).sort());
});
