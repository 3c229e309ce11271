import { readdirSync, readFileSync } from 'node:fs';
import { pods } from '../../src/kube/builtins.ts';
import type { Shop } from './rollout-scenario.ts';

/** SIGKILL for all processes of a pod on this machine: no signal is heard, no lease released, no pod deleted. */
export async function killProcesses({ client, signal }: Shop, namespace: string, name: string): Promise<void> {
  const pod = await client.get(pods, { namespace, name }, { signal });
  if (!pod?.metadata.uid) throw new Error(`no pod ${namespace}/${name}`);
  const found = processesOf(pod.metadata.uid);
  if (found.length === 0) throw new Error(`pod ${namespace}/${name} does not run on this machine`);
  for (const id of found) process.kill(id, 'SIGKILL');
}

function processesOf(podUid: string): number[] {
  const ids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return ids.filter((id) => cgroupOf(id).includes(podUid) && !isPause(id));
}

/** '' for a process that has ended meanwhile. */
function cgroupOf(id: number): string {
  try {
    return readFileSync(`/proc/${id}/cgroup`, 'utf8');
  } catch {
    return '';
  }
}

/** The one that holds a pod's namespaces: without it the kubelet would make another sandbox, slowly. */
function isPause(id: number): boolean {
  return readFileSync(`/proc/${id}/comm`, 'utf8').trim() === 'pause';
}
