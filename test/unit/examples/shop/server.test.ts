import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';

const entry = new URL('../../../../examples/shop/server.ts', import.meta.url).pathname;
let child: ChildProcess | undefined;
afterEach(() => child?.kill('SIGKILL'));

async function start(env: Record<string, string>) {
  const server = spawn(process.execPath, [entry], {
    env: { ...env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = server;
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
  const line = async () => JSON.parse((await lines.next()).value ?? '{}');
  return { server, line, listening: await line() };
}

it('ends with status 0 on SIGTERM, after it drained', async () => {
  const { server, line, listening } = await start({ VERSION: 'v3', DRAIN_MS: '10' });
  expect(listening).toMatchObject({ message: 'listening', version: 'v3' });
  const exited = once(server, 'exit');
  server.kill('SIGTERM');
  expect([await line(), await line()]).toMatchObject([{ message: 'draining' }, { message: 'stopped' }]);
  expect(await exited).toEqual([0, null]);
});

it('ends with status 1 when it is told to crash', async () => {
  const { server } = await start({ CRASH_AFTER_MS: '1' });
  if (server.exitCode === null) await once(server, 'exit');
  expect(server.exitCode).toBe(1);
});
