// What to run before each commit: types, lint, unit tests. Needs no cluster.
import { runAll } from './process.ts';

await runAll([
  ['node', 'hack/lint.ts'],
  ['vitest', 'run', '--project', 'unit'],
]);
