// test [unit|integration|e2e] [FILTER...]: all tests, or one kind. Last line: "N passed, N failed, N skipped".
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAhead, withTestCluster } from './cluster/e2e.ts';
import { endSignal, run } from './process.ts';

const kinds = ['unit', 'integration', 'e2e'];
const [first, ...rest] = process.argv.slice(2);
const oneKind = first !== undefined && kinds.includes(first);
const filters = first === undefined || oneKind ? rest : [first, ...rest];
const wanted = (oneKind ? [first] : kinds).filter((kind) => filters.length === 0 || hasMatch(kind));
if (wanted.length === 0) {
  console.error(`no test file matches ${filters.join(', ')}`);
  process.exit(1);
}

// Vitest runs twice when the cluster is needed, because it must run inside it: the sum is ours to say.
const summaries = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const statuses: number[] = [];
const ended = endSignal();
const withoutCluster = wanted.filter((kind) => kind !== 'e2e');
const needsCluster = wanted.includes('e2e');
if (needsCluster && withoutCluster.length > 0) buildAhead();
if (withoutCluster.length > 0)
  statuses.push(await run('vitest', vitestArgs(withoutCluster), { env: environment('1') }, ended));
if (needsCluster && !ended.aborted) statuses.push(await runInCluster());
report();

async function runInCluster(): Promise<number> {
  try {
    return await withTestCluster(ended, (enter, env) => {
      const [command, ...args] = enter('vitest', vitestArgs(['e2e']));
      return run(command, args, { env: { ...environment('2'), ...env } }, ended);
    });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

/** A kind may have several projects: `integration` and `integration-sidecar`. */
function vitestArgs(projects: readonly string[]): string[] {
  return ['run', ...projects.flatMap((name) => ['--project', `${name}*`]), ...filters];
}

function environment(name: string): NodeJS.ProcessEnv {
  return { ...process.env, SLUICE_SUMMARY_FILE: join(summaries, name) };
}

/** True when vitest would find a file of this kind: it takes a filter as a part of the path. */
function hasMatch(kind: string): boolean {
  const files = readdirSync(join('test', kind), { recursive: true, encoding: 'utf8' });
  const paths = files.filter((file) => file.endsWith('.test.ts')).map((file) => join('test', kind, file));
  return filters.some((filter) => filter.startsWith('-') || paths.some((path) => path.includes(filter)));
}

/** Prints the sum and ends with the first bad status. A run that died without a word counts as one failure. */
function report(): never {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const files = readdirSync(summaries).map((name) => JSON.parse(readFileSync(join(summaries, name), 'utf8')));
  for (const counts of files) for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counts[key];
  rmSync(summaries, { recursive: true });
  const status = statuses.find((one) => one !== 0) ?? 0;
  if (status !== 0 && total.failed === 0) total.failed = 1;
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exit(status);
}
