import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process, told apart from a later one that got the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the machine's start to the process's start: field 22 of /proc/PID/stat (proc(5)). */
  readonly startTicks: number;
}

/** Answers `undefined` when there is no such process, or only its unreaped remains. */
export function identify(pid: number): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // ended
  }
  // The name may hold spaces and brackets: fields are counted from its end.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? undefined : { pid, startTicks: Number(fields[18]) };
}

export function isAlive(process: ProcessIdentity | undefined): process is ProcessIdentity {
  return process !== undefined && identify(process.pid)?.startTicks === process.startTicks;
}

/** Sends a signal; a process that has ended meanwhile is as good. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Asks a process to end, kills it when it has not within `graceMs`, and answers when it is gone. */
export async function endProcess(target: ProcessIdentity, graceMs: number): Promise<void> {
  if (!isAlive(target)) return;
  sendSignal(target.pid, 'SIGTERM');
  const endMs = performance.now() + graceMs;
  while (isAlive(target)) {
    if (performance.now() > endMs) sendSignal(target.pid, 'SIGKILL');
    await delay(50);
  }
}
