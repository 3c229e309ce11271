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

/** The same for what is left of a pod that is gone from the API server: kubelets let even those that were forced away have their `preStop` for a second. */
export function killRemains(podUid: string): void {
  for (const id of processesOf(podUid)) {
    try {
      process.kill(id, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended meanwhile
    }
  }
}

function processesOf(podUid: string): number[] {
  if (podUid.length < 36) throw new Error(`not the uid of a pod: '${podUid}'`); // a short text is part of many names
  const ids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  // The one that holds a pod's namespaces stays: without it the kubelet would make another sandbox, slowly.
  return ids.filter((id) => told(id, 'cgroup').includes(podUid) && told(id, 'comm').trim() !== 'pause');
}

/** '' for a process that has ended meanwhile. */
function told(id: number, file: 'cgroup' | 'comm'): string {
  try {
    return readFileSync(`/proc/${id}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
