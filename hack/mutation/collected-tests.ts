// Stands in for `vitest` in the tests that the mutation run loads: `test` collects instead of running, `expect` is vitest's own.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { chai, expect } from 'vitest';

export { expect };

type Body = (...args: unknown[]) => unknown;

export interface CollectedTest {
  /** File, title and place among the tests of the same title: unique, and the same in every run. */
  readonly id: string;
  readonly file: string;
  readonly body: () => unknown;
}

const collected = new Map<string, CollectedTest>();
let currentFile = '';
let runningFile = '';

/** Loads test files one after the other with `load`, and answers their tests in the order of definition. */
export async function collectTests(
  files: readonly string[],
  load: (file: string) => Promise<unknown>,
): Promise<ReadonlyMap<string, CollectedTest>> {
  collected.clear();
  for (const file of files) {
    currentFile = file;
    await load(file);
  }
  return new Map(collected);
}

// vitest keeps golden files for a running test of its own; here they are only read.
chai.util.addMethod(chai.Assertion.prototype, 'toMatchFileSnapshot', function (this: object, file: string) {
  const golden = readFileSync(join(dirname(runningFile), file), 'utf8');
  expect(chai.util.flag(this, 'object') === golden, `it is what ${file} says`).toBe(true);
});

function define(title: string, body: () => unknown): void {
  let id = `${currentFile}: ${title}`;
  for (let copy = 2; collected.has(id); copy++) id = `${currentFile}: ${title} (${copy})`;
  const file = currentFile;
  const run = (): unknown => {
    runningFile = file;
    return body();
  };
  collected.set(id, { id, file, body: run });
}

/** As in vitest, for what these tests use of it: a list in a row is spread over the arguments. */
const each =
  (rows: readonly unknown[]) =>
  (title: string, body: Body): void => {
    for (const row of rows) define(title, () => (Array.isArray(row) ? body(...row) : body(row)));
  };

export const test = Object.assign((title: string, body: Body) => define(title, () => body()), { each });
