// The test runner that Stryker starts in its sandbox (docs/decisions/0133): it loads the test files into this process once,
// and runs the tests that reach a mutant, the quick ones first, until one fails.
import { globSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { INSTRUMENTER_CONSTANTS, type InstrumenterContext, type StrykerOptions } from '@stryker-mutator/api/core';
import { commonTokens, declareClassPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
import {
  type CompleteDryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  type TestResult,
  type TestRunner,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';
import fc from 'fast-check';
import { type CollectedTest, collectTests } from './collected-tests.ts';

class InProcessTestRunner implements TestRunner {
  static readonly inject = tokens(commonTokens.options);
  readonly #testFiles: readonly string[];
  /** What the instrumented code reads (which mutant is on) and writes (which mutants a test reached). */
  readonly #mutation: InstrumenterContext = {};
  readonly #lastTimesMs = new Map<string, number>();
  #tests: ReadonlyMap<string, CollectedTest> = new Map();
  #generation = 0;

  constructor({ testFiles }: StrykerOptions) {
    this.#testFiles = testFiles;
  }

  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: true };
  }

  async init(): Promise<void> {
    Object.assign(globalThis, { [INSTRUMENTER_CONSTANTS.NAMESPACE]: this.#mutation });
    const collector = new URL('./collected-tests.ts', import.meta.url).href;
    const project = new URL('../..', import.meta.url).href.replace(/\/$/, '');
    const sandbox = pathToFileURL(resolve('.')).href;
    registerHooks({
      resolve: (specifier, context, next) => {
        const asksForVitest = specifier === 'vitest' && context.parentURL?.includes('generation=');
        if (asksForVitest) return { url: collector, shortCircuit: true };
        const { url, ...found } = next(specifier, context);
        // What reads the sources as text must read them as they are written; what runs them runs those in the sandbox.
        const moved = url.replace(`${sandbox}/hack/`, `${project}/hack/`).replace(`${project}/src/`, `${sandbox}/src/`);
        const ours = ['/hack/statistics/', '/src/', '/test/'].some(
          (folder) => moved.startsWith(`${sandbox}${folder}`) || moved.startsWith(`${project}${folder}`),
        );
        // A module under a new address is a new module: this is how all is loaded anew.
        const isNew = ours && !moved.includes('?generation=');
        return { ...found, url: isNew ? `${moved}?generation=${this.#generation}` : moved };
      },
    });
    await this.#load();
  }

  async dryRun(): Promise<CompleteDryRunResult> {
    const tests: TestResult[] = [];
    for (const test of this.#tests.values()) {
      this.#mutation.currentTestId = test.id;
      tests.push(await this.#run(test));
    }
    delete this.#mutation.currentTestId;
    const { mutantCoverage } = this.#mutation;
    return { status: DryRunStatus.Complete, tests, ...(mutantCoverage && { mutantCoverage }) };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, reloadEnvironment, testFilter, hitLimit } = options;
    // On before anything loads: `reloadEnvironment` means that the change acts while modules load. (`mutantActivation` should
    // say so too, but with the option `testFiles` Stryker 10.1 leaves it at 'runtime', and names files in `testFilter`.)
    Object.assign(this.#mutation, { activeMutant: activeMutant.id, hitCount: 0, hitLimit });
    try {
      if (reloadEnvironment) await this.#load();
    } catch (error) {
      return toMutantRunResult({ status: DryRunStatus.Complete, tests: [failed('loading', 0, error)] });
    }
    const tests: TestResult[] = [];
    for (const test of this.#quickFirst(testFilter)) {
      const result = await this.#run(test);
      tests.push(result);
      if (result.status === TestStatus.Failed) break;
    }
    if (tests.length === 0) throw new Error(`no test matches ${testFilter}`);
    // An endless loop is found by counting, so that a busy machine changes no result.
    const endless = determineHitLimitReached(this.#mutation.hitCount, hitLimit);
    return toMutantRunResult(endless ?? { status: DryRunStatus.Complete, tests });
  }

  async #load(): Promise<void> {
    this.#generation += 1;
    await this.#import('test/support/seed-setup.ts');
    // A counterexample kills; making it small would cost more than finding it.
    fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true });
    const files = globSync([...this.#testFiles]).sort();
    this.#tests = await collectTests(files, (file) => this.#import(file));
    if (this.#tests.size === 0) throw new Error(`no tests in ${files.join(', ')}`);
  }

  #import(file: string): Promise<unknown> {
    return import(`${pathToFileURL(resolve(file)).href}?generation=${this.#generation}`);
  }

  /** The tests named by id or by file; all without a filter. */
  #quickFirst(filter: readonly string[] | undefined): CollectedTest[] {
    const wanted = new Set(filter);
    const cost = ({ id }: CollectedTest): number => this.#lastTimesMs.get(id) ?? 0;
    return [...this.#tests.values()]
      .filter(({ id, file }) => filter === undefined || wanted.has(id) || wanted.has(resolve(file)))
      .sort((a, b) => cost(a) - cost(b));
  }

  async #run(test: CollectedTest): Promise<TestResult> {
    const start = performance.now();
    const passed = (): number => performance.now() - start;
    try {
      await test.body();
    } catch (error) {
      return failed(test.id, passed(), error, test.file);
    }
    this.#lastTimesMs.set(test.id, passed());
    return { ...about(test.id, passed(), test.file), status: TestStatus.Success };
  }
}

function failed(id: string, timeSpentMs: number, error: unknown, file?: string): TestResult {
  const failureMessage = error instanceof Error ? error.message : String(error);
  return { ...about(id, timeSpentMs, file), status: TestStatus.Failed, failureMessage };
}

/** Whole milliseconds: Stryker adds them up. */
function about(id: string, timeSpentMs: number, file?: string) {
  return { id, name: id, timeSpentMs: Math.ceil(timeSpentMs), ...(file && { fileName: resolve(file) }) };
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'in-process', InProcessTestRunner)];
