import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { enter, type Instance, inHome } from './instance.ts';

/**
 * Makes `target` (`host:port` inside the instance) answer at `127.0.0.1:port` of the machine, for browsers, until the
 * signal aborts. A Unix socket leads from one network into the other: files are common to both.
 */
export async function forward(instance: Instance, port: number, target: string, signal: AbortSignal): Promise<void> {
  const socketPath = inHome(instance, 'run', `forward-${port}.sock`);
  const program = [process.execPath, join(import.meta.dirname, 'forward-inside.ts'), socketPath, target];
  const [command, ...args] = enter(instance, 'setpriv', ['--pdeathsig', 'TERM', ...program]);
  const inside = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(inside, 'exit').then(() => Promise.reject(new Error(`cannot forward to ${target}`)));
  ended.catch(() => {}); // later on: connections are refused
  await Promise.race([once(inside.stdout, 'data'), ended]);

  const server = createServer((client) => connectBoth(client, connect(socketPath)));
  signal.addEventListener('abort', () => {
    server.close();
    inside.kill();
    rmSync(socketPath, { force: true });
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
}

/** Passes bytes both ways; when one side breaks, so does the other. */
export function connectBoth(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one);
  one.on('error', () => other.destroy());
  other.on('error', () => one.destroy());
}
