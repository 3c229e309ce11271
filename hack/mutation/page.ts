import { leastScore, mutantsOf, type Outcomes, scoreOf, sumOutcomes } from './score.ts';

/** What `npm run test:mutation` found in a room, and of which sources: `tree` is git's name of the room's contents. */
export interface MeasuredRoom {
  readonly date: string;
  readonly version: string;
  readonly tree: string;
  readonly minutes: number;
  readonly files: Readonly<Record<string, Outcomes>>;
}

export type Measured = Readonly<Record<string, MeasuredRoom>>;

/** docs/statistics-mutation.md: all rooms, each as it was measured last. */
export function mutationPage(measured: Measured, allRooms: readonly string[], strykerVersion: string): string {
  const missing = allRooms.filter((room) => !(room in measured)).sort();
  const rooms = Object.entries(measured).sort(([a], [b]) => (a < b ? -1 : 1));
  const total = sumOutcomes(rooms.flatMap(([, { files }]) => Object.values(files)));
  return `# What the tests of the statistics notice

Written by \`npm run test:mutation\` (StrykerJS ${strykerVersion}). Stryker changes the source of \`src/core/stats\` in one place at a
time (an operator, a condition, a bound, a returned object, a block taken out) and runs the tests that reach the place, of the
room's own and of the examples in [statistics.md](statistics.md) only: what a room promises must be held in its own house. A
change that a test notices is *killed*; one that runs without end is a *timeout*, found by counting; the others are holes in the
tests, or change nothing that can be observed. The score is killed and timeouts among all.

**${percent(total)} of ${mutantsOf(total)} changes are noticed; at least ${leastScore} % is promised.**${missing.length > 0 ? ` Not measured yet: ${missing.join(', ')}.` : ''}

A room can be measured alone: \`npm run test:mutation -- special\`. It prints the changes that nothing noticed. The simulations
(\`npm run test:simulation\`) take no part. Constants are not changed by Stryker; tables of golden numbers hold those.

| room | changes | killed | timeout | survived | not reached | score | version | date | minutes | sources |
|---|---|---|---|---|---|---|---|---|---|---|
${rooms.map(([room, measuredRoom]) => roomRow(room, measuredRoom)).join('\n')}

*Sources* is git's name of the folder's contents: \`git rev-parse HEAD:src/core/stats/special\` tells whether they are still the
same, \`git log --oneline --raw -t --find-object=NAME\` in which commit they came. *Minutes* depend on the machine and its load.

## Files

| file | changes | killed | timeout | survived | not reached | score |
|---|---|---|---|---|---|---|
${rooms.flatMap(([, { files }]) => Object.entries(files).map(([file, outcomes]) => row(file, outcomes))).join('\n')}
`;
}

function roomRow(room: string, { files, version, date, minutes, tree }: MeasuredRoom): string {
  return `${row(room, sumOutcomes(Object.values(files)))} ${version} | ${date} | ${minutes} | ${tree.slice(0, 12)} |`;
}

function row(name: string, outcomes: Outcomes): string {
  const { killed, timeout, survived, unreached } = outcomes;
  return `| ${name} | ${mutantsOf(outcomes)} | ${killed} | ${timeout} | ${survived} | ${unreached} | ${percent(outcomes)} |`;
}

function percent(outcomes: Outcomes): string {
  return `${scoreOf(outcomes).toFixed(1)} %`;
}
