import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** Prints the line that automation reads, last: `N passed, N failed, N skipped`. A module that does not even load counts as failed. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      if (module.errors().length > 0) count.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state === 'pending' ? 'failed' : state] += 1;
      }
    }
    // hack/test.ts runs vitest more than once, and prints the sum.
    const file = process.env.SLUICE_SUMMARY_FILE;
    if (file !== undefined) {
      writeFileSync(file, JSON.stringify(count));
      return;
    }
    // After the default reporter, which prints its own summary on the same event.
    process.once('exit', () => {
      process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
    });
  }
}
