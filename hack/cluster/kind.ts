import { lines, output, succeeds } from './command.ts';
import { type Instance, inHome } from './instance.ts';
import type { Cluster, RunningCluster } from './kubectl.ts';
import type { Report } from './progress.ts';

// Thin, and written from kind's documentation without an engine to try it on.

const clusterName = (instance: Instance) => `sluice-${instance.name}`;
/** The kubeconfig of an instance that kind runs. */
export const kindKubeconfig = (instance: Instance): string => inHome(instance, 'kind.kubeconfig');

/** Creates the kind cluster unless it exists. */
export async function upKind(instance: Instance, signal: AbortSignal, report: Report): Promise<RunningCluster> {
  if (!(await hasKind(signal))) {
    throw new Error('a Docker engine answers, but there is no kind: install it, or set SLUICE_PROVIDER=local');
  }
  report('using kind (this way is not tried regularly; SLUICE_PROVIDER=local is)');
  const name = clusterName(instance);
  const kubeconfig = ['--kubeconfig', kindKubeconfig(instance)];
  if (!(await lines('kind', ['get', 'clusters'], { signal })).includes(name)) {
    await output('kind', ['create', 'cluster', '--name', name, '--wait=3m', ...kubeconfig], { signal });
  }
  return { cluster: kindCluster(instance), kubeconfig: kindKubeconfig(instance), startedAfterMs: 0 };
}

export function kindCluster(instance: Instance): Cluster {
  const env = { KUBECONFIG: kindKubeconfig(instance) };
  return {
    run: (command, args, options) => output(command, args, { ...options, env }),
    load: async ({ archive }, signal) => {
      await output('kind', ['load', 'image-archive', archive, '--name', clusterName(instance)], { signal });
    },
  };
}

/** Ends the kind cluster; without kind there is none. */
export async function downKind(instance: Instance, signal: AbortSignal): Promise<void> {
  if (await hasKind(signal)) await output('kind', ['delete', 'cluster', '--name', clusterName(instance)], { signal });
}

const hasKind = (signal: AbortSignal): Promise<boolean> => succeeds('kind', ['version'], { signal });
