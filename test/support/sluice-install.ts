import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { ensureBinary } from '../../hack/cluster/binaries.ts';
import { installChart, OPERATOR_NAMESPACE } from '../../hack/demo/install.ts';
import { helm } from '../../hack/demo/kube.ts';
import { ensureImage } from '../../hack/image/node-image.ts';
import { deployments } from '../../src/kube/builtins.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { loadImage } from './cluster.ts';
import { CHART } from './helm.ts';

const OPERATOR = { namespace: OPERATOR_NAMESPACE, name: 'sluice-operator' };
/** On the operator's pods: what they were installed from. */
const INSTALLED = 'sluice.dev/e2e';
const INSTALL_MS = 300_000;

/** Images that scenarios run, loaded into the test cluster. */
export interface Images {
  readonly operator: string;
  readonly shop: string;
}

let installed: Promise<Images> | undefined;

/** The images of the one installation that all scenarios share, made by the first who asks. */
export function ensureSluice(client: KubeClient): Promise<Images> {
  installed ??= install(client, AbortSignal.timeout(INSTALL_MS));
  return installed;
}

/**
 * Installs this work tree's chart and operator with Helm, unless they run already: other test files may have done so.
 * Answers when both replicas are ready.
 */
async function install(client: KubeClient, signal: AbortSignal): Promise<Images> {
  const [operator, shop] = await Promise.all([ensureImage('operator', signal), ensureImage('shop', signal)]);
  const images = { operator: operator.reference, shop: shop.reference };
  const digest = digestOf(CHART, images);
  // Helm and kubectl of hack/ ask the cluster that their environment names, as a person's do.
  process.env.KUBECONFIG = inject('clusterKubeconfig');
  if (await isInstalled(client, digest, signal)) return images;
  await loadImage(operator, signal);
  await loadImage(shop, signal);
  await ensureBinary('helm', signal);
  await installChart(operator.reference, [`podAnnotations.${INSTALLED.replace('.', '\\.')}=${digest}`]);
  return images;
}

/** Adds values to the one installation, and waits until what they ask for is ready. */
export async function reconfigureSluice(...values: readonly string[]): Promise<void> {
  const set = values.flatMap((value) => ['--set', value]);
  const where = ['--namespace', OPERATOR_NAMESPACE, '--wait', '--timeout', '4m'];
  await helm(['upgrade', 'sluice', CHART, '--reuse-values', ...where, ...set]);
}

async function isInstalled(client: KubeClient, digest: string, signal: AbortSignal): Promise<boolean> {
  const deployment = await client.get(deployments, OPERATOR, { signal });
  const { replicas, readyReplicas, updatedReplicas } = deployment?.status ?? {};
  const ready = replicas === 2 && readyReplicas === 2 && updatedReplicas === 2;
  return ready && deployment?.spec?.template.metadata?.annotations?.[INSTALLED] === digest;
}

function digestOf(folder: string, images: Images): string {
  const hash = createHash('sha256').update(JSON.stringify(images));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name)).sort();
  for (const path of paths) hash.update(path).update(readFileSync(path));
  return hash.digest('hex').slice(0, 16);
}
