import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../../cluster/wait.ts';
import { callsBetween, isUpkeep } from './audit.ts';
import { cpuSeconds, residentMb } from './child.ts';
import type { Rig } from './rig.ts';

export interface Idle {
  readonly seconds: number;
  /** Calls to the API server outside watches and leases. */
  readonly callsPerMinute: number;
  /** Of those, how many of each kind in the whole time: `get deployments` → 12. */
  readonly calls: Readonly<Record<string, number>>;
  /** Percent of one core. */
  readonly cpuPercent: number;
  /** Of all its processes, at the end. */
  readonly residentMb: number;
  readonly highestResidentMb: number;
}

const QUIET_MS = 20_000;

/** Waits until the user has made no call outside watches and leases for a while; what a start left to do is done then. */
export async function untilCalm(
  { dir, signal }: Pick<Rig, 'dir' | 'signal'>,
  user: string,
  timeoutMs: number,
): Promise<void> {
  const isCalm = async () => {
    const calls = callsBetween(dir, Date.now() - QUIET_MS, Date.now());
    return !calls.some((call) => call.user === user && !isUpkeep(call));
  };
  await waitFor(isCalm, { what: `${user} having nothing to do`, timeoutMs, everyMs: 5_000, signal });
}

/** What a contender costs over `seconds` in which nothing is asked of it. Its user must be among the rig's `audited`. */
export async function measureIdle(
  { dir, signal }: Pick<Rig, 'dir' | 'signal'>,
  { pids, user }: { readonly pids: readonly number[]; readonly user: string },
  seconds: number,
): Promise<Idle> {
  const fromMs = Date.now();
  const cpuBefore = sum(pids.map(cpuSeconds));
  await delay(seconds * 1000, undefined, { signal });
  const cpu = sum(pids.map(cpuSeconds)) - cpuBefore;
  const made = callsBetween(dir, fromMs, fromMs + seconds * 1000).filter(
    (call) => call.user === user && !isUpkeep(call),
  );
  const calls: Record<string, number> = {};
  for (const { verb, resource } of made) calls[`${verb} ${resource}`] = (calls[`${verb} ${resource}`] ?? 0) + 1;
  return {
    seconds,
    callsPerMinute: (60 * made.length) / seconds,
    calls,
    cpuPercent: (100 * cpu) / seconds,
    residentMb: sum(pids.map((pid) => residentMb(pid).now)),
    highestResidentMb: sum(pids.map((pid) => residentMb(pid).highest)),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
