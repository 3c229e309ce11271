import { type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Written to the command's standard input. */
  readonly input?: string;
}

/** A command that ended with another status than 0; the message holds the end of what it said. */
class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/** Runs a command and answers its standard output. Rejects with `CommandFailed` when its status is not 0. */
export function output(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...spawnOptions(options), stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    // A command may end without reading its input; its status then says what happened.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out).toString());
      reject(failure(command, args, code ?? signal, Buffer.concat([...err, ...out]).toString()));
    });
  });
}

/** As `output`, with the lines' ends cut off and empty lines left out. */
export async function lines(command: string, args: readonly string[], options?: CommandOptions): Promise<string[]> {
  const text = await output(command, args, options);
  return text.split('\n').filter((line) => line !== '');
}

/** True when the command ends with status 0. */
export async function succeeds(command: string, args: readonly string[], options?: CommandOptions): Promise<boolean> {
  try {
    await output(command, args, options);
    return true;
  } catch (error) {
    if (options?.signal?.aborted) throw error;
    return false;
  }
}

/** Runs a command that says much: all of it is appended to `logFile`, and only its end is shown when it fails. */
export async function runLogged(
  logFile: string,
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<void> {
  const log = openSync(logFile, 'a');
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(command, args, { ...spawnOptions(options), stdio: ['ignore', log, log] });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        if (code === 0) return resolve();
        reject(failure(command, args, code ?? signal, `${readFileSync(logFile, 'utf8')}\n(all of it: ${logFile})`));
      });
    });
  } finally {
    closeSync(log);
  }
}

function spawnOptions({ cwd, env, signal }: CommandOptions): SpawnOptions {
  return {
    ...(cwd === undefined ? {} : { cwd }),
    ...(signal === undefined ? {} : { signal }),
    env: { ...process.env, ...env },
  };
}

function failure(command: string, args: readonly string[], status: unknown, said: string): CommandFailed {
  const end = said.trimEnd().split('\n').slice(-15).join('\n');
  return new CommandFailed(`${command} ${args.join(' ').slice(0, 300)} ended with ${status}\n${end}`);
}
