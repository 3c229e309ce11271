import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Measured, mutationPage } from '../../../hack/mutation/page.ts';
import { countOutcomes, leastScore, mutantsOf, scoreOf, sumOutcomes } from '../../../hack/mutation/score.ts';
import packageJson from '../../../package.json' with { type: 'json' };

const measured = JSON.parse(
  readFileSync(new URL('../../../hack/mutation/measured.json', import.meta.url), 'utf8'),
) as Measured;

test('outcomes are counted by file: a timeout is noticed, what no test reaches is not', () => {
  const statuses = ['Killed', 'Killed', 'Timeout', 'Survived', 'NoCoverage'];
  const files = countOutcomes([
    ...statuses.map((status) => ({ fileName: 'a.ts', status })),
    { fileName: 'b.ts', status: 'Killed' },
  ]);
  expect(files).toEqual({
    'a.ts': { killed: 2, timeout: 1, survived: 1, unreached: 1 },
    'b.ts': { killed: 1, timeout: 0, survived: 0, unreached: 0 },
  });
  const sum = sumOutcomes(Object.values(files));
  expect(mutantsOf(sum)).toBe(6);
  expect(scoreOf(sum)).toBeCloseTo(400 / 6, 12);
});

test('a change that did not even load is not counted in silence', () => {
  expect(() => countOutcomes([{ fileName: 'a.ts', status: 'RuntimeError' }])).toThrow('a.ts ended as RuntimeError');
});

test('docs/statistics-mutation.md is what was measured, and keeps what it promises', () => {
  const files = readdirSync('src/core/stats', { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.ts'));
  const page = readFileSync(new URL('../../../docs/statistics-mutation.md', import.meta.url), 'utf8');
  expect(page).toBe(mutationPage(measured, sources, packageJson.devDependencies['@stryker-mutator/core']));
  const all = sumOutcomes(Object.values(measured).map(({ outcomes }) => outcomes));
  expect(scoreOf(all)).toBeGreaterThanOrEqual(leastScore);
});
