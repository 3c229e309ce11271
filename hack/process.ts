import { type SpawnOptions, spawn } from 'node:child_process';

/** Runs a command with our standard streams and answers its exit status (128 + n when signal n ended it). */
export function run(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

/** Runs the commands in order and ends this process with the first status that is not 0. */
export async function runAll(commands: readonly (readonly [string, ...string[]])[]): Promise<void> {
  for (const [command, ...args] of commands) {
    const status = await run(command, args);
    if (status !== 0) process.exit(status);
  }
}
