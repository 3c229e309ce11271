import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DemoFigures } from '../../demo/summary.ts';
import { run } from '../../process.ts';

/** Runs the demo on a local cluster of its own, its words on standard error, and answers what it measured. */
export async function measureDemo(): Promise<DemoFigures> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-bench-demo-'));
  const file = join(dir, 'figures.json');
  try {
    const status = await run(process.execPath, ['hack/demo.ts', '--figures', file], { stdio: ['inherit', 2, 2] });
    if (status !== 0) throw new Error(`the demo ended with status ${status}`);
    return JSON.parse(readFileSync(file, 'utf8'));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
