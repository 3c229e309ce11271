import { leastScore, mutantsOf, type Outcomes, scoreOf, sumOutcomes } from './score.ts';

/** What `npm run test:mutation` found in a file, and of which text: `blob` is git's name of its contents. */
export interface MeasuredFile {
  readonly date: string;
  readonly version: string;
  readonly blob: string;
  readonly outcomes: Outcomes;
}

/** By path below src/core/stats. */
export type Measured = Readonly<Record<string, MeasuredFile>>;

/** docs/statistics-mutation.md: each file as it was measured last. `files` are all that could be measured. */
export function mutationPage(measured: Measured, files: readonly string[], strykerVersion: string): string {
  const rows = Object.entries(measured).sort(([a], [b]) => (a < b ? -1 : 1));
  const total = sumOutcomes(rows.map(([, { outcomes }]) => outcomes));
  return `# What the tests of the statistics notice

Written by \`npm run test:mutation\` (StrykerJS ${strykerVersion}). Stryker changes the source of \`src/core/stats\` in one place at a
time (an operator, a condition, a bound, a returned object, a block taken out) and runs the tests that reach the place, of the
room's own and of the examples in [statistics.md](statistics.md) only: what a room promises must be held in its own house. A
change that a test notices is *killed*; one that runs without end is a *timeout*; the others are holes in the tests, or change
nothing that can be observed. The score is killed and timeouts among all.

**${percent(total)} of ${mutantsOf(total)} changes are noticed; at least ${leastScore} % is promised.** ${missingSentence(measured, files)}

A room or a file can be measured alone: \`npm run test:mutation -- srm special/roots.ts\`. It prints the changes that were not
killed, and remembers on this machine what need not be tried again. The simulations (\`npm run test:simulation\`) take no part.
Numbers are not changed by Stryker; tables of golden numbers hold those.

| room | changes | killed | timeout | survived | not reached | score |
|---|---|---|---|---|---|---|
${[...byRoom(rows)].map(([room, outcomes]) => row(room, sumOutcomes(outcomes))).join('\n')}

## Files

*Source* is git's name of the file's contents when it was measured: \`git rev-parse HEAD:src/core/stats/special/roots.ts\` tells
whether it is still the same, \`git log --oneline --find-object=NAME\` in which commit it came.

| file | changes | killed | timeout | survived | not reached | score | version | date | source |
|---|---|---|---|---|---|---|---|---|---|
${rows.map(([file, at]) => `${row(file, at.outcomes)} ${at.version} | ${at.date} | ${at.blob.slice(0, 12)} |`).join('\n')}
`;
}

function missingSentence(measured: Measured, files: readonly string[]): string {
  const missing = files.filter((file) => !(file in measured)).sort();
  if (missing.length === 0) return 'All files are measured.';
  return `${files.length - missing.length} of ${files.length} files are measured; not yet: ${missing.join(', ')}.`;
}

function byRoom(rows: readonly (readonly [string, MeasuredFile])[]): Map<string, Outcomes[]> {
  const rooms = new Map<string, Outcomes[]>();
  for (const [file, { outcomes }] of rows) {
    const room = file.split('/')[0] as string;
    rooms.set(room, [...(rooms.get(room) ?? []), outcomes]);
  }
  return rooms;
}

function row(name: string, outcomes: Outcomes): string {
  const { killed, timeout, survived, unreached } = outcomes;
  return `| ${name} | ${mutantsOf(outcomes)} | ${killed} | ${timeout} | ${survived} | ${unreached} | ${percent(outcomes)} |`;
}

function percent(outcomes: Outcomes): string {
  return `${scoreOf(outcomes).toFixed(1)} %`;
}
