import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { withLock } from '../../../hack/cluster/lock.ts';

const program = join(import.meta.dirname, '..', '..', '..', 'hack', 'demo.ts');

test('a second demo waits for the first and says so; ended meanwhile, it touches no cluster', async () => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-demo-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const second = async () => {
    const env = { ...process.env, SLUICE_CLUSTER_HOME: root };
    const demo = spawn(process.execPath, [program], { env, stdio: ['ignore', 'inherit', 'pipe'] });
    onTestFinished(() => void demo.kill('SIGKILL'));
    const [said] = await once(demo.stderr, 'data');
    expect(said.toString()).toBe('waiting for another demo, which uses the cluster\n');
    demo.kill('SIGTERM');
    expect(await once(demo, 'exit')).toEqual([130, null]);
  };
  await withLock(join(root, 'demo', 'demo.lock'), () => {}, second);
  expect(readdirSync(join(root, 'demo'))).toEqual(['demo.lock']);
});
