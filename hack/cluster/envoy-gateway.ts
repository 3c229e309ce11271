import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { imageReference } from '../image/cluster-images.ts';
import type { AddonContext } from './addon.ts';
import { binaryDir } from './binaries.ts';
import { goModule } from './go-builds.ts';
import { apply, type Cluster, kubectl, podsReady } from './kubectl.ts';
import { manifest } from './manifest.ts';
import { cacheDir } from './paths.ts';
import { versions } from './versions.ts';
import { waitFor } from './wait.ts';
import { writeWhole } from './write-whole.ts';

const NAMESPACE = 'envoy-gateway-system';
const TIMEOUT_MS = 180_000;

/**
 * Installs the Gateway API, Envoy Gateway and one gateway. Chart and CRDs are those of the Go module that the binary is
 * built from: they lie in Go's module cache and belong together.
 */
export async function installEnvoyGateway(context: AddonContext): Promise<void> {
  const { cluster, startedAfterMs, signal, report } = context;
  const { Dir } = await goModule(`github.com/envoyproxy/gateway@v${versions.envoyGateway}`, signal);
  const chart = join(Dir, 'charts', 'gateway-helm');
  const values = manifest('envoy-gateway-values.yaml', {
    GATEWAY_IMAGE: imageReference('envoy-gateway'),
    ENVOY_IMAGE: imageReference('envoy'),
  });
  await oncePerContent(context, 'envoy-gateway', `${versions.envoyGateway}\n${values}`, async () => {
    report('installing the Gateway API and Envoy Gateway (about 20 s)');
    const crds = [
      'apply',
      '--server-side',
      '--force-conflicts',
      '--recursive',
      '-f',
      join(chart, 'charts', 'crds', 'crds'),
    ];
    await kubectl(cluster, crds, signal);
    await helmInstall(cluster, chart, values, signal);
  });
  report('waiting for Envoy Gateway');
  const wanted = { namespace: NAMESPACE, startedAfterMs, timeoutMs: TIMEOUT_MS };
  await podsReady(cluster, { ...wanted, selector: 'control-plane=envoy-gateway' }, signal);
  await apply(cluster, manifest('gateway.yaml', {}), signal);
  report('waiting for Envoy');
  await waitFor(() => isProgrammed(cluster, signal), {
    what: 'the gateway being programmed',
    timeoutMs: TIMEOUT_MS,
    signal,
  });
  await podsReady(cluster, { ...wanted, selector: 'gateway.envoyproxy.io/owning-gateway-name=sluice-demo' }, signal);
}

async function helmInstall(cluster: Cluster, chart: string, values: string, signal: AbortSignal): Promise<void> {
  const valuesFile = join(cacheDir(), 'tmp', `envoy-gateway-values-${process.pid}.yaml`);
  writeWhole(valuesFile, values);
  // The chart is published with its defaults in a template whose gaps (the image) are among our values.
  const files = ['--values', join(chart, 'values.tmpl.yaml'), '--values', valuesFile];
  const where = ['--namespace', NAMESPACE, '--create-namespace'];
  const install = ['upgrade', '--install', 'eg', chart, '--skip-crds', '--timeout=3m', ...where, ...files];
  await cluster.run(join(binaryDir('helm'), 'helm'), install, { signal });
}

async function isProgrammed(cluster: Cluster, signal: AbortSignal): Promise<boolean> {
  const gateway = await kubectl(cluster, ['-n', 'gateways', 'get', 'gateway', 'sluice-demo', '-o', 'json'], signal);
  const conditions: { type: string; status: string }[] = JSON.parse(gateway).status?.conditions ?? [];
  return conditions.some(({ type, status }) => type === 'Programmed' && status === 'True');
}

/** Does what takes long only when it has not been done with the same content; the cluster itself remembers. */
async function oncePerContent(
  { cluster, signal }: AddonContext,
  name: string,
  content: string,
  work: () => Promise<void>,
): Promise<void> {
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const read = ['-n', 'kube-system', 'get', 'configmap', `sluice-addon-${name}`, '--ignore-not-found', '-o', 'json'];
  const found = await kubectl(cluster, read, signal);
  if (found !== '' && JSON.parse(found).data?.digest === digest) return;
  await work();
  const note = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `sluice-addon-${name}`, namespace: 'kube-system' },
  };
  await apply(cluster, JSON.stringify({ ...note, data: { digest } }), signal);
}
