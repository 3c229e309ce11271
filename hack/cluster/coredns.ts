import { ensureClusterImage, imageReference } from '../image/cluster-images.ts';
import { addresses } from './addresses.ts';
import { apply, type Cluster, podsReady } from './kubectl.ts';
import { manifest } from './manifest.ts';
import type { Report } from './progress.ts';

/** Installs the cluster's DNS and answers when it does. */
export async function installCoredns(
  cluster: Cluster,
  startedAfterMs: number,
  signal: AbortSignal,
  report: Report,
): Promise<void> {
  await cluster.load(await ensureClusterImage('coredns', signal, report), signal);
  await apply(cluster, manifest('coredns.yaml', { IMAGE: imageReference('coredns'), DNS: addresses.dns }), signal);
  report('waiting for DNS');
  const wanted = { namespace: 'kube-system', selector: 'k8s-app=kube-dns', startedAfterMs, timeoutMs: 90_000 };
  await podsReady(cluster, wanted, signal);
}
