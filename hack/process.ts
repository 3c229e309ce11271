import { type SpawnOptions, spawn } from 'node:child_process';

/**
 * Runs a command with our standard streams and answers its exit status (128 + n when signal n ended it). When `ended` aborts, the
 * command is asked to end (SIGTERM), and still waited for: it may have to clean up.
 */
export function run(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
  ended?: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    ended?.throwIfAborted();
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    const end = () => void child.kill('SIGTERM');
    ended?.addEventListener('abort', end);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      ended?.removeEventListener('abort', end);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

/** Aborts when this process is asked to end. From then on it must end by itself: no later signal interrupts its cleaning. */
export function endSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(new Error(`ended by ${name}`)));
  return stop.signal;
}

/** Does `work`, and `clean` after it in any case. Why the work failed is what matters then; a failure to clean is told beside it. */
export async function cleanAfter<T>(
  work: () => Promise<T>,
  clean: () => Promise<void>,
  report: (line: string) => void,
): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await clean().catch((also: unknown) => report(`cleaning up failed as well: ${wordsOf(also)}`));
    throw error;
  }
  await clean();
  return result;
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Runs the commands in order and ends this process with the first status that is not 0. */
export async function runAll(commands: readonly (readonly [string, ...string[]])[]): Promise<void> {
  for (const [command, ...args] of commands) {
    const status = await run(command, args);
    if (status !== 0) process.exit(status);
  }
}
