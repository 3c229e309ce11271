import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BuiltImage } from '../image/built-image.ts';
import { ensureClusterImage } from '../image/cluster-images.ts';
import { NODE_NAME } from './addresses.ts';
import { ensureBinary } from './binaries.ts';
import { ensurePki } from './certificates.ts';
import { groupProcesses, joinFile, killGroup, removeGroup } from './cgroup.ts';
import { installCoredns } from './coredns.ts';
import { enter, holderOf, type Instance, inHome, kubeconfigOf, outputInside, startHolder } from './instance.ts';
import { type Cluster, kubectl, type RunningCluster } from './kubectl.ts';
import { withLock } from './lock.ts';
import { networkDown, networkUp } from './network.ts';
import { makeClusterPki, writeNodeConfig } from './node-config.ts';
import { apiReadyFile, containerdSocket, imagesReadyFile, partsOf, planFile } from './parts.ts';
import { endProcess } from './process-identity.ts';
import type { Report } from './progress.ts';
import { isRunning, supervisorState } from './supervisor-state.ts';
import { ensureSystemPackages } from './system-packages.ts';
import { waitFor } from './wait.ts';
import { readIfThere, writeWhole } from './write-whole.ts';

/** How long the supervisor may take to end all parts. */
const STOP_GRACE_MS = 20_000;

/** Removed by `down --wipe`. Without it a cluster comes back with all its objects and images. */
const stateDirs = ['data', 'containerd', 'kubelet', 'pod-logs', 'logs', 'run', 'pki', 'conf'];

/**
 * Brings a local cluster up: from nothing, from the state that `down` has left, or after a crash. One that is up and
 * whole is left as it is. Answers when the node is ready and DNS answers.
 */
export async function upLocal(instance: Instance, signal: AbortSignal, report: Report): Promise<RunningCluster> {
  await ensureSystemPackages(signal, report);
  const binDir = await ensureBinary('k1s', signal, report);
  const pause = await ensureClusterImage('pause', signal, report);
  return withInstanceLock(instance, signal, report, async () => {
    await startParts(instance, binDir, signal, report);
    const cluster = clusterOf(instance);
    const { sinceMs } = supervisorState(instance.home)?.supervisor ?? { sinceMs: Date.now() };
    report('waiting for the API server');
    const ready = () => kubectl(cluster, ['get', '--raw=/readyz'], signal);
    await whileSupervised(instance, ready, { what: 'the API server becoming ready', timeoutMs: 90_000, signal });
    writeWhole(apiReadyFile(instance), '');
    await cluster.load(pause, signal);
    writeWhole(imagesReadyFile(instance), '');
    report('waiting for the node');
    const nodeReady = () => isNodeReady(cluster, sinceMs, signal);
    await whileSupervised(instance, nodeReady, { what: 'the node becoming ready', timeoutMs: 90_000, signal });
    await installCoredns(cluster, sinceMs, signal, report);
    return { cluster, kubeconfig: kubeconfigOf(instance), startedAfterMs: sinceMs };
  });
}

/** Ends a local cluster and removes every trace of it from the machine but its home; that too with `wipe`. */
export async function downLocal(
  instance: Instance,
  options: { wipe: boolean },
  signal: AbortSignal,
  report: Report,
): Promise<void> {
  // Who removes the cache leaves the processes of its clusters.
  if (!existsSync(instance.home) && groupProcesses(instance.group).length === 0) return;
  await withInstanceLock(instance, signal, report, async () => {
    await endEverything(instance, signal);
    if (options.wipe) for (const dir of stateDirs) rmSync(inHome(instance, dir), { recursive: true, force: true });
  });
}

/** How to talk to a local cluster that is up. */
export function clusterOf(instance: Instance): Cluster {
  const env = { KUBECONFIG: kubeconfigOf(instance) };
  return {
    run: (command, args, options) => outputInside(instance, command, args, { ...options, env }),
    load: (image, signal) => importImage(instance, image, signal),
  };
}

function withInstanceLock<T>(
  instance: Instance,
  signal: AbortSignal,
  report: Report,
  work: () => Promise<T>,
): Promise<T> {
  const onWait = () => report(`waiting for another command that works on the cluster "${instance.name}"`);
  return withLock(inHome(instance, 'instance.lock'), onWait, work, signal);
}

/** Starts the supervisor unless one runs exactly these parts; what an older one or a crash has left goes first. */
async function startParts(instance: Instance, binDir: string, signal: AbortSignal, report: Report): Promise<void> {
  const plan = JSON.stringify(partsOf(instance, binDir), null, 1);
  if (supervisorState(instance.home) && holderOf(instance) && readIfThere(planFile(instance.home)) === plan) return;
  await endEverything(instance, signal);
  report(`starting the cluster "${instance.name}" (node ready in about 10 s)`);
  await ensurePki(inHome(instance, 'pki'), (dir) => makeClusterPki(dir, instance, signal));
  for (const dir of ['run', 'data', 'logs', 'kubelet', 'containerd'])
    mkdirSync(inHome(instance, dir), { recursive: true });
  writeNodeConfig(instance);
  writeWhole(planFile(instance.home), plan);
  await startHolder(instance);
  await networkUp(instance, signal);
  startSupervisor(instance);
  const began = async () => supervisorState(instance.home);
  await waitFor(began, { what: 'the supervisor starting', timeoutMs: 20_000, everyMs: 50, signal });
}

function startSupervisor(instance: Instance): void {
  const program = [process.execPath, join(import.meta.dirname, 'supervisor.ts'), instance.home];
  const log = openSync(inHome(instance, 'logs', 'supervisor.out'), 'a');
  const script = 'echo $$ > "$1"; shift; exec "$@"';
  const [command, ...args] = enter(instance, 'sh', ['-ec', script, 'supervisor', joinFile(instance.group), ...program]);
  spawn(command, args, { detached: true, stdio: ['ignore', log, log] }).unref();
}

/** Ends all processes of the instance, orderly where that is still possible, and cleans up after them. */
async function endEverything(instance: Instance, signal: AbortSignal): Promise<void> {
  const state = supervisorState(instance.home);
  if (state !== undefined) await endProcess(state.supervisor, STOP_GRACE_MS);
  await killGroup(instance.group); // containers, what a crashed supervisor has left, and the keeper of the namespaces
  await networkDown(instance, signal);
  await removeGroup(instance.group);
  // Sockets and notes of this run; addresses and mounts of pods that are no more.
  const stale = ['run', 'cni-ipam', 'kubelet/pods'];
  for (const dir of stale) rmSync(inHome(instance, dir), { recursive: true, force: true });
}

/** As `waitFor`, but gives up at once, with the end of the log, when parts die again and again. */
async function whileSupervised<T>(
  instance: Instance,
  probe: () => Promise<T | false | undefined>,
  options: { what: string; timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  const gaveUp = new AbortController();
  const watched = async () => {
    const state = supervisorState(instance.home);
    if (state === undefined) gaveUp.abort(new Error(`the supervisor has ended: ${inHome(instance, 'logs')}`));
    const failing = state?.parts.find((part) => part.restarts >= 4 && !isRunning(part));
    if (failing) {
      const log = readIfThere(inHome(instance, 'logs', `${failing.name}.log`)) ?? '';
      gaveUp.abort(
        new Error(`${failing.name} dies again and again:\n${log.trimEnd().split('\n').slice(-8).join('\n')}`),
      );
    }
    return probe();
  };
  await waitFor(watched, { ...options, signal: AbortSignal.any([options.signal, gaveUp.signal]) });
}

/** The kubelet of this start must have said so: what it said before a crash still stands in the API. */
async function isNodeReady(cluster: Cluster, sinceMs: number, signal: AbortSignal): Promise<boolean> {
  const get = (...args: string[]) => kubectl(cluster, ['get', ...args, NODE_NAME, '-o', 'json'], signal);
  const [node, lease] = await Promise.all([get('node'), get('-n', 'kube-node-lease', 'lease')]);
  const conditions: { type: string; status: string }[] = JSON.parse(node).status.conditions;
  const ready = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  return ready && Date.parse(JSON.parse(lease).spec.renewTime) > sinceMs;
}

/**
 * Imports an image once. References change with the content, so a note of the last success is enough; it lies beside
 * the images, so that they go together.
 */
async function importImage(instance: Instance, { reference, archive }: BuiltImage, signal: AbortSignal): Promise<void> {
  const note = inHome(instance, 'containerd', 'imported', encodeURIComponent(reference));
  if (existsSync(note)) return;
  const ctr = ['--address', containerdSocket(instance), '--namespace', 'k8s.io', 'images', 'import', archive];
  await outputInside(instance, 'ctr', ctr, { signal });
  writeWhole(note, '');
}
