import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sendSignal } from './process-identity.ts';

const ROOT = '/sys/fs/cgroup';
const KILL_TIMEOUT_MS = 10_000;

/**
 * A control group that holds every process of one cluster: ours in `parts`, the pods' in `kubepods` (kubelet makes it).
 * Children stay in their parent's group whatever they do, so that "all processes of this cluster" needs no bookkeeping
 * that a crash could lose.
 */
export interface ControlGroup {
  /** Path below each hierarchy's root, with a leading slash: what kubelet calls `cgroupRoot`. */
  readonly path: string;
}

/**
 * The mounted hierarchies: one with version 2; with version 1, one for each controller, and maybe a version 2 beside
 * them that controls nothing, but in which runc makes groups all the same.
 */
function hierarchies(): string[] {
  if (existsSync(join(ROOT, 'cgroup.controllers'))) return [ROOT];
  const mounted = (existsSync(ROOT) ? readdirSync(ROOT) : []).map((name) => join(ROOT, name));
  return mounted.filter((dir) => existsSync(join(dir, 'cgroup.procs')));
}

/** The hierarchy in which processes are looked for; in version 1, containers are in all of them. */
function trackedDir(group: ControlGroup): string {
  const all = hierarchies();
  return join(all.find((dir) => dir.endsWith('/pids')) ?? all[0] ?? ROOT, group.path);
}

export function createGroup(group: ControlGroup): void {
  const all = hierarchies();
  if (all.length === 0) throw new Error(`${ROOT} holds no control groups: a local cluster cannot run here`);
  for (const hierarchy of all) mkdirSync(join(hierarchy, group.path), { recursive: true });
  mkdirSync(join(trackedDir(group), 'parts'), { recursive: true });
}

/** The file to which a process writes its number to join our own parts. */
export const joinFile = (group: ControlGroup): string => join(trackedDir(group), 'parts', 'cgroup.procs');

/** Numbers of all processes in the group and below. */
export function groupProcesses(group: ControlGroup): number[] {
  return subtree(trackedDir(group)).flatMap((dir) => {
    const listed = readIfThere(join(dir, 'cgroup.procs'));
    return listed.split('\n').filter(Boolean).map(Number);
  });
}

/** Kills everything in the group, again and again until nothing is left that could start something new. */
export async function killGroup(group: ControlGroup): Promise<void> {
  const endMs = performance.now() + KILL_TIMEOUT_MS;
  for (let left = groupProcesses(group); left.length > 0; left = groupProcesses(group)) {
    if (performance.now() > endMs) throw new Error(`cannot kill processes ${left.join(', ')} of ${group.path}`);
    for (const pid of left) sendSignal(pid, 'SIGKILL');
    await delay(20);
  }
}

/** Removes the empty group from every hierarchy. */
export async function removeGroup(group: ControlGroup): Promise<void> {
  for (const hierarchy of hierarchies()) {
    for (const dir of subtree(join(hierarchy, group.path)).reverse()) await removeDir(dir);
  }
}

/** A group whose last process has just ended stays busy for a moment. */
async function removeDir(dir: string): Promise<void> {
  const endMs = performance.now() + KILL_TIMEOUT_MS;
  for (;;) {
    try {
      return rmdirSync(dir);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || performance.now() > endMs) throw error;
    }
    await delay(20);
  }
}

/** The folder and all below it, each before its children. */
function subtree(dir: string): string[] {
  let names: string[];
  try {
    names = readdirSync(dir, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return []; // removed meanwhile
  }
  return [dir, ...names.flatMap((name) => subtree(join(dir, name)))];
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // removed meanwhile
  }
}
