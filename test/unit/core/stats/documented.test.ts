import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readCatalog } from '../../../../hack/statistics/catalog.ts';
import { evaluateLine } from '../../../../hack/statistics/evaluate.ts';
import { rounded } from '../../../../hack/statistics/render.ts';

// What users read in docs/statistics.md: a line for the evaluator, and its answer to 10 digits.
const page = readFileSync(new URL('../../../../docs/statistics.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```json\n(\{"fn":.*)\n(\{"result":.*)\n```/g)].map(([, line, answer]) => {
  const call = JSON.parse(line as string) as { fn: string; args?: Record<string, unknown> };
  return { call, line: line as string, answer: JSON.parse(answer as string) as unknown };
});
const { entries } = readCatalog();

test.each(examples.map(({ call, line, answer }) => [call.fn, line, answer] as const))(
  'docs/statistics.md is right about %s',
  async (_fn, line, answer) => {
    expect(rounded(await evaluateLine(line, entries))).toEqual(answer);
  },
);

const rooms = [...new Set(entries.map(({ file }) => file.split('/')[0] as string))];

// A golden file for each room, so that every word a user may meet is reviewed, and no bad number slips in unnoticed.
test.each(rooms)('the functions of %s refuse bad numbers in these words (npm run golden)', async (room) => {
  const ours = new Set(entries.filter(({ file }) => file.startsWith(`${room}/`)).map(({ name }) => name));
  const lines: string[] = [];
  for (const { call } of examples.filter(({ call }) => ours.has(call.fn))) {
    for (const [where, refused] of await refusals(call)) {
      for (const [words, numbers] of refused) lines.push(`${call.fn}: ${where} = ${numbers.join(' ')}: ${words}`);
    }
  }
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`testdata/refusals/${room}.txt`);
});

const badNumbers = ['NaN', 'Infinity', '-Infinity', -1, 0, 0.5, 1, 2];

/** By argument: what the function says, and to which numbers. */
async function refusals({ fn, args }: (typeof examples)[number]['call']): Promise<Map<string, Map<string, string[]>>> {
  const found = new Map<string, Map<string, string[]>>();
  for (const { where, number, args: spoiledArgs } of spoiled(args ?? {})) {
    const evaluation = await evaluateLine(JSON.stringify({ fn, args: spoiledArgs }), entries);
    if ('result' in evaluation) continue;
    const { code, message, facts } = evaluation.error;
    // No NaN and no error of the runtime may come out of bad numbers.
    expect(code, `${fn} ${where} ${number}: ${message}`).toMatch(/^SLUICE_STATS_/);
    const words = `${message.replace(/, not \S+$/, '')} (${Object.keys(facts)})`;
    const here = found.get(where) ?? new Map<string, string[]>();
    found.set(where, here.set(words, [...(here.get(words) ?? []), number]));
  }
  return found;
}

interface Spoiled {
  readonly where: string;
  readonly number: string;
  readonly args: unknown;
}

/** The arguments with one number replaced in every way; of a list only its first, and the list itself cut short. */
function spoiled(args: unknown, path: readonly string[] = []): Spoiled[] {
  const where = path.join('.');
  if (typeof args === 'number') return badNumbers.map((bad) => ({ where, number: String(bad), args: bad }));
  // What a call makes stays as it is: the call has an example of its own.
  if (typeof args !== 'object' || args === null || 'fn' in args) return [];
  if (Array.isArray(args)) {
    const first = spoiled(args[0], [...path, '0']).map((one) => ({ ...one, args: args.with(0, one.args) }));
    const shorter = { where, number: 'without its last', args: args.slice(0, -1) };
    return [...first, shorter, { where, number: 'empty', args: [] }];
  }
  return Object.entries(args).flatMap(([key, item]) =>
    spoiled(item, [...path, key]).map((one) => ({ ...one, args: { ...args, [key]: one.args } })),
  );
}
