import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Part, planFile } from '../../../hack/cluster/parts.ts';
import { isAlive } from '../../../hack/cluster/process-identity.ts';
import { isRunning, type PartState, supervisorState } from '../../../hack/cluster/supervisor-state.ts';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { writeWhole } from '../../../hack/cluster/write-whole.ts';

const program = join(import.meta.dirname, '..', '..', '..', 'hack', 'cluster', 'supervisor.ts');

function part(name: string, script: string, after: Partial<Part['after']> = {}): Part {
  return { name, command: 'sh', args: ['-c', script], after: { listening: [], files: [], ...after } };
}

/** Starts a supervisor over these parts in a home of its own. */
function supervise(parts: (home: string) => Part[]): { home: string; supervisor: ChildProcess } {
  const home = mkdtempSync(join(tmpdir(), 'sluice-supervisor-'));
  writeWhole(planFile(home), JSON.stringify(parts(home)));
  const supervisor = spawn(process.execPath, [program, home], { stdio: 'inherit' });
  onTestFinished(async () => {
    await stop(supervisor);
    rmSync(home, { recursive: true });
  });
  return { home, supervisor };
}

async function stop(supervisor: ChildProcess): Promise<void> {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  const ended = once(supervisor, 'exit');
  supervisor.kill('SIGTERM');
  await ended;
}

function stateOf(home: string, name: string, holds: (state: PartState) => boolean, what: string): Promise<PartState> {
  const probe = async () => supervisorState(home)?.parts.find((state) => state.name === name && holds(state));
  return waitFor(probe, { what, timeoutMs: 30_000, everyMs: 20 });
}

test('a part that dies is noticed, said so, and started again', async () => {
  const { home } = supervise(() => [part('steady', 'exec sleep 1000'), part('victim', 'exec sleep 1000')]);
  const before = await stateOf(home, 'victim', isRunning, 'the first start');
  const steady = await stateOf(home, 'steady', isRunning, 'the other start');

  process.kill(before.process?.pid ?? 0, 'SIGKILL');
  const after = await stateOf(home, 'victim', (state) => isRunning(state) && state.restarts === 1, 'the second start');
  expect(after.process).not.toEqual(before.process);
  expect(after.lastDeath?.status).toBe('SIGKILL');
  expect(isAlive(steady.process)).toBe(true);
});

test('a part that cannot live is tried again and again without harming the others', async () => {
  const { home } = supervise(() => [
    part('steady', 'exec sleep 1000'),
    { ...part('missing', ''), command: '/does/not/exist' },
    part('broken', 'exit 3'),
  ]);
  const broken = await stateOf(home, 'broken', (state) => state.restarts >= 2, 'two deaths');
  expect(broken.lastDeath?.status).toBe('status 3');
  const missing = await stateOf(home, 'missing', (state) => state.restarts >= 1, 'a failed start');
  expect(missing.lastDeath?.status).toContain('ENOENT');
  await stateOf(home, 'steady', isRunning, 'the healthy part running');
});

test('a part waits for each socket and each file that it needs', async () => {
  const { home } = supervise((dir) => [
    part('needs-socket', 'exec sleep 1000', { listening: [join(dir, 'late')] }),
    part('needs-file', 'exec sleep 1000', { listening: [join(dir, 'early')], files: [join(dir, 'file')] }),
  ]);
  await stateOf(home, 'needs-file', (state) => state.phase === 'waiting', 'both parts waiting');
  const early = createServer().listen(join(home, 'early'));
  onTestFinished(() => void early.close());
  await once(early, 'connection'); // the supervisor has looked
  expect(supervisorState(home)?.parts.map(({ phase }) => phase)).toEqual(['waiting', 'waiting']);

  const late = createServer().listen(join(home, 'late'));
  onTestFinished(() => void late.close());
  await stateOf(home, 'needs-socket', isRunning, 'the part that needed the socket running');
  expect(supervisorState(home)?.parts[1]?.phase).toBe('waiting');
  writeFileSync(join(home, 'file'), '');
  await stateOf(home, 'needs-file', isRunning, 'the part that needed the file running');
});

test('told to end, it ends its parts, also one that does not want to, and then its word is not taken any more', async () => {
  const stubborn = (dir: string) => `trap "" TERM; touch ${dir}/armed; while :; do sleep 0.1; done`;
  const { home, supervisor } = supervise((dir) => [part('etcd', 'exec sleep 1000'), part('stubborn', stubborn(dir))]);
  const etcd = await stateOf(home, 'etcd', isRunning, 'the first part running');
  const { process: refuses } = await stateOf(home, 'stubborn', isRunning, 'the second part running');
  await waitFor(async () => existsSync(join(home, 'armed')), { what: 'the trap being set', timeoutMs: 10_000 });
  await stop(supervisor);
  expect([isAlive(etcd.process), isAlive(refuses)]).toEqual([false, false]);
  expect(supervisorState(home)).toBeUndefined();
});
