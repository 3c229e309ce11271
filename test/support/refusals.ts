import { expect } from 'vitest';
import { evaluateLine } from '../../hack/statistics/evaluate.ts';
import { catalogEntries, documentedExamples } from './documented-examples.ts';

/**
 * What the functions of a room of core/stats say to bad numbers: one line for each argument of each documented example and
 * each answer. Kept in golden files, so that every word a user may meet is reviewed, and no bad number slips in unnoticed.
 */
export async function refusals(room: string): Promise<string> {
  const ours = new Set(catalogEntries.filter(({ file }) => file.startsWith(`${room}/`)).map(({ name }) => name));
  const lines: string[] = [];
  for (const { call } of documentedExamples.filter(({ call }) => ours.has(call.fn))) {
    for (const [where, refused] of await refusalsOf(call)) {
      for (const [words, numbers] of refused) lines.push(`${call.fn}: ${where} = ${numbers.join(' ')}: ${words}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

const badNumbers = ['NaN', 'Infinity', '-Infinity', -1, 0, 0.5, 1, 2];

/** By argument: what the function says, and to which numbers. */
async function refusalsOf({
  fn,
  args,
}: (typeof documentedExamples)[number]['call']): Promise<Map<string, Map<string, string[]>>> {
  const found = new Map<string, Map<string, string[]>>();
  for (const { where, number, args: spoiledArgs } of spoiled(args ?? {})) {
    const evaluation = await evaluateLine(JSON.stringify({ fn, args: spoiledArgs }), catalogEntries);
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
