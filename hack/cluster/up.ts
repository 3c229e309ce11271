import { ensureImage } from '../image/node-image.ts';
import { type AddonName, installAddons } from './addons.ts';
import { ensureBinary } from './binaries.ts';
import { output } from './command.ts';
import type { Instance } from './instance.ts';
import { downKind, kindCluster, upKind } from './kind.ts';
import { kubectl, type RunningCluster } from './kubectl.ts';
import { clusterOf, downLocal, upLocal } from './local.ts';
import type { Report } from './progress.ts';
import { chooseProvider } from './provider.ts';

/**
 * Brings a cluster up with add-ons and answers when all of it works. Someone else's cluster (`KUBECONFIG`) is only
 * asked whether it answers: what runs in it is its owner's business.
 */
export async function up(
  instance: Instance,
  addons: readonly AddonName[],
  signal: AbortSignal,
  report: Report,
): Promise<RunningCluster> {
  const provider = await chooseProvider(instance);
  if (provider.kind === 'existing') return useExisting(provider.kubeconfig, signal, report);
  const start = provider.kind === 'kind' ? upKind : upLocal;
  const running = await start(instance, signal, report);
  await installAddons(addons, { ...running, signal, report });
  return running;
}

/** Ends what `up` started. */
export async function down(
  instance: Instance,
  options: { wipe: boolean },
  signal: AbortSignal,
  report: Report,
): Promise<void> {
  const provider = await chooseProvider(instance);
  if (provider.kind === 'existing') report('KUBECONFIG names a cluster that is not ours: left alone');
  else if (provider.kind === 'kind') await downKind(instance, signal);
  else await downLocal(instance, options, signal, report);
}

/** Builds the image of one of our programs (`operator`, `shop`) and makes it known to the cluster; answers its name. */
export async function loadImage(instance: Instance, name: string, signal: AbortSignal): Promise<string> {
  const provider = await chooseProvider(instance);
  const image = await ensureImage(name, signal);
  if (provider.kind === 'existing')
    throw new Error(`push ${image.archive} where the nodes of ${provider.kubeconfig} find it`);
  await (provider.kind === 'kind' ? kindCluster(instance) : clusterOf(instance)).load(image, signal);
  return image.reference;
}

async function useExisting(kubeconfig: string, signal: AbortSignal, report: Report): Promise<RunningCluster> {
  report(`using the cluster of ${kubeconfig}`);
  await ensureBinary('k1s', signal, report); // kubectl
  const cluster = {
    run: (command: string, args: readonly string[], options: { input?: string; signal: AbortSignal }) =>
      output(command, args, { ...options, env: { KUBECONFIG: kubeconfig } }),
    load: ({ reference }: { reference: string }) =>
      Promise.reject(new Error(`${reference} must be pushed where the nodes of ${kubeconfig} find it`)),
  };
  await kubectl(cluster, ['get', '--raw=/readyz'], signal);
  return { cluster, kubeconfig, startedAfterMs: 0 };
}
