import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readCatalog } from '../../../hack/statistics/catalog.ts';
import { evaluateLine } from '../../../hack/statistics/evaluate.ts';
import { renderStatistics } from '../../../hack/statistics/render.ts';

const catalog = readCatalog();
const lines = readFileSync(new URL('../../../hack/statistics/examples.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const examples = await Promise.all(
  lines.map(async (line) => ({
    fn: (JSON.parse(line) as { fn: string }).fn,
    line,
    evaluation: await evaluateLine(line, catalog.entries),
  })),
);
const evaluate = (line: string) => evaluateLine(line, catalog.entries);

test('every public function of core/stats says what it does and has an example that works', () => {
  const shown = new Set(examples.map(({ fn }) => fn));
  for (const { name, doc } of catalog.entries) {
    expect(shown, `an example line for ${name} in hack/statistics/examples.jsonl`).toContain(name);
    expect(doc, `a docstring for ${name}`).not.toBe('');
  }
  for (const { line, evaluation } of examples) expect(evaluation, line).toHaveProperty('result');
});

test('docs/statistics.md is what the source says (npm run golden)', async () => {
  await expect(renderStatistics(catalog, examples)).toMatchFileSnapshot('../../../docs/statistics.md');
});

test('a line is answered by a result, with nested calls and infinities', async () => {
  expect(await evaluate('{"fn":"tCdf","args":{"t":"-Infinity","df":3}}')).toEqual({ result: 0 });
  expect(await evaluate('{"fn":"chiSquareQuantile","args":{"p":1,"df":3}}')).toEqual({ result: 'Infinity' });
  const nested = '{"fn":"varianceOf","args":{"moments":{"fn":"momentsOf","args":{"values":[1,2,3]}}}}';
  expect(await evaluate(nested)).toEqual({ result: 1 });
  expect(await evaluate('{"fn":"noMoments"}')).toEqual({ result: { n: 0, mean: 0, m2: 0 } });
});

test.each([
  ['not JSON', 'tCdf(1)'],
  ['not a call', '[1]'],
  ['an unknown function', '{"fn":"tcdf","args":{}}'],
  ['an internal function', '{"fn":"tailValue","args":{}}'],
  ['an unknown argument', '{"fn":"tCdf","args":{"t":1,"nu":3}}'],
  ['a missing argument', '{"fn":"tCdf","args":{"t":1}}'],
  ['a value outside the domain', '{"fn":"tCdf","args":{"t":1,"df":0}}'],
  ['a number where an object belongs', '{"fn":"welchTest","args":{"treatment":1,"control":2,"plan":3}}'],
  ['nothing where an object belongs', '{"fn":"armMean","args":{"moments":null}}'],
])('%s is answered by a coded error', async (_what, line) => {
  expect(await evaluate(line)).toMatchObject({ error: { code: 'SLUICE_STATS_ARGUMENT' } });
});

test('a code of the statistics passes through', async () => {
  const line = '{"fn":"varianceOf","args":{"moments":{"n":1,"mean":0,"m2":0}}}';
  expect(await evaluate(line)).toMatchObject({ error: { code: 'SLUICE_STATS_TOO_FEW', facts: { n: 1, needed: 2 } } });
});
