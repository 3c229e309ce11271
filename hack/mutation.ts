// mutation [ROOM...]: changes the rooms of src/core/stats (all, or those named) in one place at a time, counts how many changes
// the unit tests notice, prints the others, and writes docs/statistics-mutation.md. Status 1 when fewer than promised.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { LogLevel, MutantResult } from '@stryker-mutator/api/core';
import { Stryker } from '@stryker-mutator/core';
import packageJson from '../package.json' with { type: 'json' };
import { type Measured, mutationPage } from './mutation/page.ts';
import { countOutcomes, leastScore, scoreOf, sumOutcomes } from './mutation/score.ts';

const sources = 'src/core/stats';
const tests = 'test/unit/core/stats';
const measuredFile = 'hack/mutation/measured.json';
const page = 'docs/statistics-mutation.md';
/** What the last run on this machine found: only what changed since, or whose tests did, is tried again. */
const cache = 'node_modules/.cache/sluice-mutation';

const rooms = new Map([['errors', `${sources}/errors.ts`]]);
for (const entry of readdirSync(sources, { withFileTypes: true })) {
  if (entry.isDirectory()) rooms.set(entry.name, `${sources}/${entry.name}`);
}
const asked = process.argv.slice(2);
const unknown = asked.filter((room) => !rooms.has(room));
if (unknown.length > 0) {
  console.error(
    `usage: mutation [ROOM...]; the rooms are ${[...rooms.keys()].sort().join(', ')}, not ${unknown.join(', ')}`,
  );
  process.exit(2);
}

for (const room of asked.length > 0 ? asked : rooms.keys()) await measure(room);
const total = scoreOf(sumOutcomes(Object.values(readMeasured()).flatMap(({ files }) => Object.values(files))));
console.log(`${total.toFixed(1)} % of all changes in measured rooms are noticed; at least ${leastScore} % is promised`);
process.exit(total >= leastScore ? 0 : 1);

async function measure(room: string): Promise<void> {
  const path = rooms.get(room) as string;
  const started = performance.now();
  const mutants = await runStryker(room, path.endsWith('.ts') ? path : `${path}/**/*.ts`);
  const files = countOutcomes(
    mutants.map(({ fileName, status }) => ({ fileName: relative(sources, fileName), status })),
  );
  for (const mutant of mutants) if (mutant.status !== 'Killed') console.log(sentence(mutant));
  console.log(`${room}: ${scoreOf(sumOutcomes(Object.values(files))).toFixed(1)} % noticed`);
  const date = new Date().toISOString().slice(0, 10);
  const minutes = Math.ceil((performance.now() - started) / 60_000);
  const measured = {
    ...readMeasured(),
    [room]: { version: packageJson.version, date, minutes, tree: treeOf(path), files },
  };
  writeFileSync(measuredFile, `${JSON.stringify(measured, null, 2)}\n`);
  writeFileSync(page, mutationPage(measured, [...rooms.keys()], packageJson.devDependencies['@stryker-mutator/core']));
}

async function runStryker(room: string, mutate: string): Promise<MutantResult[]> {
  // Outside node_modules, where Node would not read TypeScript.
  const sandbox = mkdtempSync(join(tmpdir(), 'sluice-mutation-'));
  mkdirSync(cache, { recursive: true });
  try {
    return await new Stryker({
      mutate: [mutate],
      testFiles: [`${tests}/${room}/**/*.test.ts`, `${tests}/!(simulation).test.ts`],
      testRunner: 'in-process',
      plugins: ['./hack/mutation/test-runner.ts'],
      coverageAnalysis: 'perTest',
      incremental: true,
      incrementalFile: join(cache, `${room}.json`),
      ignorePatterns: [
        '**',
        '!src/**',
        '!test/unit/core/stats/**',
        '!test/support/**',
        '!hack/statistics/**',
        '!docs/statistics.md',
      ],
      tempDirName: sandbox,
      // Only for loops that count nothing; far above what a busy machine can need.
      timeoutMS: 60_000,
      reporters: ['progress-append-only'],
      allowConsoleColors: false,
      logLevel: 'warn' as LogLevel,
    }).runMutationTest();
  } finally {
    rmSync(sandbox, { recursive: true, force: true });
  }
}

function sentence({ fileName, location, mutatorName, replacement, status }: MutantResult): string {
  const lines = readFileSync(fileName, 'utf8')
    .split('\n')
    .slice(location.start.line - 1, location.end.line);
  const last = lines.length - 1;
  lines[last] = (lines[last] as string).slice(0, location.end.column - 1);
  lines[0] = (lines[0] as string).slice(location.start.column - 1);
  const place = `${relative('.', fileName)}:${location.start.line}:${location.start.column}`;
  const verdict = { Survived: 'not noticed', NoCoverage: 'not reached', Timeout: 'without end' }[status as string] ?? status;
  return `${place} ${verdict} (${mutatorName})\n  - ${lines.join('\n    ')}\n  + ${replacement}`;
}

function readMeasured(): Measured {
  return JSON.parse(readFileSync(measuredFile, 'utf8'));
}

function treeOf(path: string): string {
  return execFileSync('git', ['rev-parse', `HEAD:${path}`], { encoding: 'utf8' }).trim();
}
