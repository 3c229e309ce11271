import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlGroup } from './cgroup.ts';
import { createGroup, joinFile } from './cgroup.ts';
import { type CommandOptions, output } from './command.ts';
import { cacheDir } from './paths.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';
import { writeWhole } from './write-whole.ts';

/** The instance that shares the machine's network, so that browsers and other tools reach it. */
export const DEFAULT_INSTANCE = 'default';

/** One local cluster: its files, its control group, its namespaces. */
export interface Instance {
  readonly name: string;
  /** True when it has a network of its own. All instances use the same addresses. */
  readonly isolated: boolean;
  readonly home: string;
  readonly group: ControlGroup;
}

/** The instance of that name; nothing is started or looked up. */
export function instanceNamed(name: string = DEFAULT_INSTANCE): Instance {
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(name)) {
    throw new Error(`"${name}" is no name for an instance: a letter, then up to 19 letters, digits or dashes`);
  }
  const home = join(process.env.SLUICE_CLUSTER_HOME ?? join(cacheDir(), 'cluster'), name);
  // The home is part of the group's name: two users' instances of one name are two.
  const digest = createHash('sha256').update(home).digest('hex').slice(0, 6);
  return { name, isolated: name !== DEFAULT_INSTANCE, home, group: { path: `/sluice-${name}-${digest}` } };
}

/** Path of a file in the instance's home. */
export const inHome = (instance: Instance, ...path: string[]): string => join(instance.home, ...path);

/** An administrator's kubeconfig. For an isolated instance it only works inside (`inInstance`). */
export const kubeconfigOf = (instance: Instance): string => inHome(instance, 'pki', 'admin.kubeconfig');

/**
 * Starts the process that keeps the instance's namespaces: mounts always, so that nothing of ours ever shows on the
 * machine and all of it is gone with the last process; the network too when it is isolated.
 */
export async function startHolder(instance: Instance): Promise<void> {
  createGroup(instance.group);
  const private_ = [
    '/var/lib/kubelet',
    '/var/lib/cni',
    '/run/netns',
    '/run/containerd',
    inHome(instance, 'containerd', 'state'),
  ];
  const script = [
    'echo $$ > "$1"',
    `exec unshare --mount ${instance.isolated ? '--net' : ''} --propagation private sh -ec '`,
    `for dir in ${private_.map((dir) => `"${dir}"`).join(' ')}; do mkdir -p "$dir"; mount -t tmpfs tmpfs "$dir"; done`,
    'ip link set lo up; echo ready; exec >/dev/null 2>&1; exec sleep infinity',
    "'",
  ].join('\n');
  const holder = spawn('sh', ['-ec', script, 'holder', joinFile(instance.group)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const failed = once(holder, 'exit').then(() => Promise.reject(new Error('cannot make namespaces: is this root?')));
  await Promise.race([once(holder.stdout, 'data'), failed]);
  failed.catch(() => {}); // from now on its end is a matter of `isUp`
  holder.stdout.destroy();
  holder.unref();
  writeWhole(inHome(instance, 'run', 'holder.json'), JSON.stringify(identify(holder.pid ?? 0)));
}

/** The process that keeps the namespaces, when it lives. */
export function holderOf(instance: Instance): ProcessIdentity | undefined {
  const file = inHome(instance, 'run', 'holder.json');
  if (!existsSync(file)) return undefined;
  const holder: ProcessIdentity = JSON.parse(readFileSync(file, 'utf8'));
  return isAlive(holder) ? holder : undefined;
}

/**
 * The command line that runs `command` inside the instance: its network (when isolated) and its mounts. The work
 * directory and all files of the machine are the same there.
 */
export function inInstance(name: string, command: string, args: readonly string[]): [string, ...string[]] {
  return enter(instanceNamed(name), command, args);
}

export function enter(instance: Instance, command: string, args: readonly string[]): [string, ...string[]] {
  const holder = holderOf(instance);
  if (holder === undefined) throw new Error(`the cluster "${instance.name}" is not up: npm run cluster -- up`);
  const namespaces = instance.isolated ? ['--mount', '--net'] : ['--mount'];
  // Entering a mount namespace moves to its root.
  const inside = ['env', `--chdir=${process.cwd()}`, command, ...args];
  return ['nsenter', `--target=${holder.pid}`, ...namespaces, '--', ...inside];
}

/** Runs a command inside the instance and answers what it says. */
export function outputInside(
  instance: Instance,
  command: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<string> {
  const [nsenter, ...rest] = enter(instance, command, args);
  return output(nsenter, rest, options);
}
