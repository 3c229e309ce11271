import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { succeeds } from '../../../hack/cluster/command.ts';
import { withLock } from '../../../hack/cluster/lock.ts';

const dir = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
afterAll(() => rmSync(dir, { recursive: true }));
const module = join(import.meta.dirname, '..', '..', '..', 'hack', 'cluster', 'lock.ts');
const isFree = (file: string) => succeeds('flock', ['--nonblock', file, 'true']);

test('the second waits for the first, and says so', async () => {
  const file = join(dir, 'turns');
  const events: string[] = [];
  const told = Promise.withResolvers<void>();
  const inside = Promise.withResolvers<void>();
  const first = withLock(
    file,
    () => {},
    async () => {
      inside.resolve();
      await told.promise;
      events.push('first');
    },
  );
  await inside.promise;
  const second = withLock(file, told.resolve, async () => void events.push('second'));
  await Promise.all([first, second]);
  expect(events).toEqual(['first', 'second']);
});

test('whoever is ended while waiting waits no longer, and takes nothing from the one that works', async () => {
  const file = join(dir, 'ended');
  const stop = new AbortController();
  await withLock(
    file,
    () => {},
    async () => {
      const waiting = withLock(
        file,
        () => stop.abort(new Error('ended by SIGTERM')),
        () => Promise.reject(new Error('must not work')),
        stop.signal,
      );
      await expect(waiting).rejects.toThrow('ended by SIGTERM');
      expect(await isFree(file)).toBe(false);
    },
  );
  expect(await isFree(file)).toBe(true);
});

test('a Ctrl-C of the terminal, which goes to the whole group of processes, leaves the lock to the one that cleans up', async () => {
  const file = join(dir, 'ctrl-c');
  const script = `
    const { withLock } = await import(${JSON.stringify(module)});
    process.on('SIGINT', () => console.log('interrupted'));
    await withLock(${JSON.stringify(file)}, () => {}, async () => {
      console.log('working');
      await new Promise((resolve) => process.stdin.on('end', resolve).resume());
    });`;
  const worker = spawn(process.execPath, ['--input-type=module', '-e', script], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void worker.kill('SIGKILL'));
  await once(worker.stdout, 'data');
  process.kill(-worker.pid!, 'SIGINT');
  await once(worker.stdout, 'data');
  expect(await succeeds('flock', ['--timeout', '1', file, 'true'])).toBe(false);
  worker.stdin.end();
  expect(await once(worker, 'exit')).toEqual([0, null]);
  expect(await isFree(file)).toBe(true);
});
