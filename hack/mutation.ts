// mutation [ROOM|FILE...]: changes src/core/stats (all of it, or what is named) in one place at a time, counts how many changes
// the unit tests notice, prints the others, and writes docs/statistics-mutation.md. Status 1 when fewer than promised.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { LogLevel, MutantResult } from '@stryker-mutator/api/core';
import { Stryker } from '@stryker-mutator/core';
import packageJson from '../package.json' with { type: 'json' };
import { type Measured, type MeasuredFile, mutationPage } from './mutation/page.ts';
import { countOutcomes, leastScore, noOutcomes, scoreOf, sumOutcomes } from './mutation/score.ts';

const sources = 'src/core/stats';
const tests = 'test/unit/core/stats';
const measuredFile = 'hack/mutation/measured.json';
const page = 'docs/statistics-mutation.md';
/** What the last run on this machine found: only what changed since, or whose tests did, is tried again. */
const cache = 'node_modules/.cache/sluice-mutation';

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => name === '' || !existsSync(join(sources, name)));
if (unknown.length > 0) {
  console.error(`usage: mutation [ROOM|FILE...], as they lie in ${sources}; there is no ${unknown.join(', ')}`);
  process.exit(2);
}
const allFiles = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
// A room at a time: what is measured stays, whatever happens to the rest.
const rooms = new Set(allFiles.map((file) => file.split('/')[0] as string).sort());

for (const name of asked.length > 0 ? asked : rooms) await measure(name);
const total = scoreOf(sumOutcomes(Object.values(readMeasured()).map(({ outcomes }) => outcomes)));
console.log(`${total.toFixed(1)} % of all changes in measured files are noticed; at least ${leastScore} % is promised`);
process.exit(total >= leastScore ? 0 : 1);

async function measure(name: string): Promise<void> {
  const mutants = await runStryker(name);
  for (const mutant of mutants) if (mutant.status !== 'Killed') console.log(sentence(mutant));
  const found = countOutcomes(
    mutants.map(({ fileName, status }) => ({ fileName: relative(sources, fileName), status })),
  );
  console.log(`${name}: ${scoreOf(sumOutcomes(Object.values(found))).toFixed(1)} % noticed`);
  const date = new Date().toISOString().slice(0, 10);
  const measured: Record<string, MeasuredFile> = { ...readMeasured() };
  for (const file of allFiles.filter((one) => one === name || one.startsWith(`${name}/`))) {
    const outcomes = found[file] ?? noOutcomes;
    measured[file] = { date, version: packageJson.version, blob: blobOf(join(sources, file)), outcomes };
  }
  writeFileSync(measuredFile, `${JSON.stringify(measured, null, 2)}\n`);
  writeFileSync(page, mutationPage(measured, allFiles, packageJson.devDependencies['@stryker-mutator/core']));
}

async function runStryker(name: string): Promise<MutantResult[]> {
  // Outside node_modules, where Node would not read TypeScript.
  const sandbox = mkdtempSync(join(tmpdir(), 'sluice-mutation-'));
  mkdirSync(cache, { recursive: true });
  try {
    return await new Stryker({
      mutate: [name.endsWith('.ts') ? `${sources}/${name}` : `${sources}/${name}/**/*.ts`],
      testFiles: [`${tests}/${name.split('/')[0]}/**/*.test.ts`, `${tests}/!(simulation).test.ts`],
      testRunner: 'in-process',
      plugins: ['./hack/mutation/test-runner.ts'],
      coverageAnalysis: 'perTest',
      incremental: true,
      incrementalFile: join(cache, `${name.replaceAll('/', '-')}.json`),
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
  const verdict =
    { Survived: 'not noticed', NoCoverage: 'not reached', Timeout: 'without end' }[status as string] ?? status;
  return `${place} ${verdict} (${mutatorName})\n  - ${lines.join('\n    ')}\n  + ${replacement}`;
}

function readMeasured(): Measured {
  return JSON.parse(readFileSync(measuredFile, 'utf8'));
}

/** Git's name of a file as it lies here. */
function blobOf(path: string): string {
  return execFileSync('git', ['hash-object', path], { encoding: 'utf8' }).trim();
}
