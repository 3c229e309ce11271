import { join } from 'node:path';
import type { BuiltImage } from '../image/built-image.ts';
import { binaryDir } from './binaries.ts';
import { waitFor } from './wait.ts';

/** A cluster that answers, whoever runs it. */
export interface Cluster {
  /** Runs a program that talks to it (`KUBECONFIG` is set) and answers its standard output. */
  run(command: string, args: readonly string[], options: { input?: string; signal: AbortSignal }): Promise<string>;
  /** Makes an image known to its nodes. */
  load(image: BuiltImage, signal: AbortSignal): Promise<void>;
}

/** A cluster that `up` has brought up. */
export interface RunningCluster {
  readonly cluster: Cluster;
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** When this run of it began, in ms since 1970; 0 when that is not known. */
  readonly startedAfterMs: number;
}

/** Runs our own kubectl. */
export function kubectl(cluster: Cluster, args: readonly string[], signal: AbortSignal): Promise<string> {
  return cluster.run(join(binaryDir('k1s'), 'kubectl'), args, { signal });
}

/** Applies objects server-side, as the owner of all their fields. */
export async function apply(cluster: Cluster, manifest: string, signal: AbortSignal): Promise<void> {
  const args = ['apply', '--server-side', '--force-conflicts', '--field-manager=sluice-cluster', '-f', '-'];
  await cluster.run(join(binaryDir('k1s'), 'kubectl'), args, { input: manifest, signal });
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly containers: readonly { readonly name: string }[] };
  readonly status: { readonly containerStatuses?: readonly ContainerStatus[] };
}

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly state: {
    readonly running?: { readonly startedAt: string };
    readonly waiting?: { readonly reason?: string };
  };
}

export interface PodsWanted {
  readonly namespace: string;
  readonly selector: string;
  /** Containers that started earlier do not count: after a crash the API server still shows them as they were. */
  readonly startedAfterMs: number;
  readonly timeoutMs: number;
}

/** Answers when there is a pod, and all of them run and are ready; fails with what the first unready one waits for. */
export async function podsReady(cluster: Cluster, wanted: PodsWanted, signal: AbortSignal): Promise<void> {
  const { namespace, selector, startedAfterMs, timeoutMs } = wanted;
  const what = `pods ${selector} in ${namespace} becoming ready`;
  const probe = async () => {
    const list = await kubectl(cluster, ['-n', namespace, 'get', 'pods', '-l', selector, '-o', 'json'], signal);
    const pods = (JSON.parse(list).items as Pod[]).filter((pod) => pod.metadata.deletionTimestamp === undefined);
    for (const pod of pods) throwUnlessReady(pod, startedAfterMs);
    return pods.length > 0;
  };
  await waitFor(probe, { what, timeoutMs, everyMs: 200, signal });
}

function throwUnlessReady({ metadata, spec, status }: Pod, startedAfterMs: number): void {
  for (const { name } of spec.containers) {
    const container = status.containerStatuses?.find((one) => one.name === name);
    const startedAt = container?.state.running?.startedAt;
    // Times in the API are whole seconds, cut off.
    if (container?.ready && Date.parse(startedAt ?? '') + 1000 > startedAfterMs) continue;
    throw new Error(`${metadata.name}/${name}: ${container?.state.waiting?.reason ?? 'not ready'}`);
  }
}
