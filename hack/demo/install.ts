import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryDir } from '../cluster/paths.ts';
import { waitFor } from '../cluster/wait.ts';
import { field, helm, kubectl } from './kube.ts';

export const OPERATOR_NAMESPACE = 'sluice-system';

/** Installs the chart, or brings it up to this image and these values. Waits until both replicas are ready. */
export async function installChart(operatorImage: string, values: readonly string[] = []): Promise<void> {
  const [repository, tag] = operatorImage.split(/:(?=[^:]*$)/);
  const set = [`image.repository=${repository}`, `image.tag=${tag}`, ...values].flatMap((value) => ['--set', value]);
  const where = ['--namespace', OPERATOR_NAMESPACE, '--create-namespace'];
  await helm([
    'upgrade',
    '--install',
    'sluice',
    join(repositoryDir, 'charts/sluice'),
    ...where,
    '--wait',
    '--timeout',
    '3m',
    ...set,
  ]);
}

/**
 * What an earlier demo left. The route goes before what is behind it (docs/decisions/0220-a-gateway-that-takes-nothing-new.md).
 * Throws where the namespace is somebody's own.
 */
export async function removeShop(): Promise<void> {
  const found = await kubectl(['get', 'namespace', 'shop', '--ignore-not-found', '-o', 'jsonpath={.metadata.labels}']);
  if (found === '') return;
  if (!found.includes('sluice-example'))
    throw new Error('the namespace shop is not of the demo: delete it, or use another cluster');
  await kubectl(['-n', 'shop', 'delete', 'httproutes.gateway.networking.k8s.io', '--all']);
  await kubectl(['delete', 'namespace', 'shop', '--ignore-not-found', '--timeout=180s']);
}

/** Applies the example shop anew with this image and waits until its Rollout has a stable revision. */
export async function applyShop(shopImage: string, signal: AbortSignal): Promise<void> {
  await removeShop();
  const dir = join(repositoryDir, 'examples/shop/manifests');
  const files = readdirSync(dir).sort((a, b) => Number(b === 'namespace.yaml') - Number(a === 'namespace.yaml'));
  const manifests = files.map((file) => readFileSync(join(dir, file), 'utf8')).join('\n---\n');
  await kubectl(['apply', '-f', '-'], manifests.replaceAll('sluice.local/shop:dev', shopImage));
  await kubectl(['-n', 'shop', 'rollout', 'status', 'deployment/shop', '--timeout=120s']);
  const healthy = async () =>
    (await field(['-n', 'shop', 'rollouts.sluice.dev', 'shop'], '.status.phase')) === 'Healthy';
  await waitFor(healthy, { what: 'the Rollout having a stable revision', timeoutMs: 60_000, signal });
}
