import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { waitFor } from '../../cluster/wait.ts';

export interface ChildOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Standard output and error go there. */
  readonly logFile: string;
  /** Answers true once it serves. */
  readonly isReady: () => Promise<boolean>;
  readonly readyWithinMs: number;
  readonly signal: AbortSignal;
}

/** A controller as a process of its own, which the kernel ends when we are gone. */
export class Child {
  readonly #process: ChildProcess;
  readonly logFile: string;

  private constructor(child: ChildProcess, logFile: string) {
    this.#process = child;
    this.logFile = logFile;
  }

  /** Answers when it is ready; throws with the end of its log when it ends before that. */
  static async start(command: string, args: readonly string[], options: ChildOptions): Promise<Child> {
    const log = openSync(options.logFile, 'a');
    const started = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.env },
    });
    const child = new Child(started, options.logFile);
    const isReady = async () => {
      child.throwIfEnded();
      return options.isReady();
    };
    const { readyWithinMs: timeoutMs, signal } = options;
    await waitFor(isReady, { what: `${command} becoming ready`, timeoutMs, everyMs: 100, signal }).catch(
      async (error: unknown) => {
        await child.kill('SIGKILL');
        throw new Error(`${error}\n${child.logTail()}`);
      },
    );
    return child;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  throwIfEnded(): void {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null)
      throw new Error(`the controller ended by itself:\n${this.logTail()}`);
  }

  logTail(): string {
    const lines = readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-10);
    return lines.map((line) => line.slice(0, 500)).join('\n');
  }

  /** Sends a signal and answers when the process is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill(signal);
    await ended;
  }
}

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK']).toString());

/** Seconds of processor time that a process has used since its start, in user and kernel mode (proc(5), stat). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory in megabytes (10^6), now and at its highest since the start. */
export function residentMb(pid: number): { readonly now: number; readonly highest: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string) => (Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024) / 1e6;
  return { now: read('VmRSS'), highest: read('VmHWM') };
}
