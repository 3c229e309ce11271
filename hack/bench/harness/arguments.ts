import { basename } from 'node:path';

export type BenchRequest =
  | { readonly kind: 'Run'; readonly file: string; readonly args: readonly string[] }
  | { readonly kind: 'Help' | 'Mistake'; readonly text: string };

/** What `npm run bench -- ARGS` asks for, among the benchmarks in these files. The first argument decides; the others are the benchmark's. */
export function readBenchArguments([name, ...args]: readonly string[], files: readonly string[]): BenchRequest {
  const byName = new Map(files.map((file) => [basename(file, '.ts'), file]));
  const usage = `usage: npm run bench -- NAME [ARGS...]\n\nbenchmarks: ${[...byName.keys()].sort().join(', ')}`;
  if (name === '--help' || name === '-h') return { kind: 'Help', text: usage };
  if (name === undefined) return { kind: 'Mistake', text: usage };
  const file = byName.get(name);
  return file === undefined
    ? { kind: 'Mistake', text: `there is no benchmark "${name}"\n${usage}` }
    : { kind: 'Run', file, args };
}
