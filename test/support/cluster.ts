import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { inject, onTestFinished } from 'vitest';
import { binaryDir } from '../../hack/cluster/binaries.ts';
import { output } from '../../hack/cluster/command.ts';
import { instanceNamed } from '../../hack/cluster/instance.ts';
import { clusterOf } from '../../hack/cluster/local.ts';
import type { BuiltImage } from '../../hack/image/built-image.ts';

/** Credentials of an administrator of the cluster that the end-to-end tests run in. */
export function clusterConfig(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(inject('clusterKubeconfig'));
  return config;
}

/** Runs our kubectl against the test cluster and answers what it says. */
export function kubectl(args: readonly string[], input?: string): Promise<string> {
  const env = { KUBECONFIG: inject('clusterKubeconfig') };
  return output(join(binaryDir('k1s'), 'kubectl'), args, { env, ...(input === undefined ? {} : { input }) });
}

/** Makes a namespace that goes away, with all that is in it, when the test has ended. */
export async function temporaryNamespace(prefix: string): Promise<string> {
  const name = `${prefix}-${randomBytes(3).toString('hex')}`;
  const core = clusterConfig().makeApiClient(CoreV1Api);
  await core.createNamespace({ body: { metadata: { name } } });
  onTestFinished(async () => {
    await core.deleteNamespace({ name });
  });
  return name;
}

/** Makes an image known to the test cluster's nodes. */
export async function loadImage(image: BuiltImage, signal: AbortSignal): Promise<void> {
  await clusterOf(instanceNamed(inject('clusterInstance'))).load(image, signal);
}

/** Where a Service answers: its cluster address, which the tests reach as they run in the cluster's network. */
export async function serviceUrl(namespace: string, selector: string, port: number): Promise<string> {
  const { items } = await clusterConfig()
    .makeApiClient(CoreV1Api)
    .listNamespacedService({ namespace, labelSelector: selector });
  const address = items[0]?.spec?.clusterIP;
  if (address === undefined) throw new Error(`no Service ${selector} in ${namespace}`);
  return `http://${address}:${port}`;
}

/** Where the Envoy of the gateway `gateways/sluice-demo` answers. */
export const gatewayUrl = (): Promise<string> =>
  serviceUrl('envoy-gateway-system', 'gateway.envoyproxy.io/owning-gateway-name=sluice-demo', 80);

/** Where Prometheus answers. */
export const prometheusUrl = (): Promise<string> => serviceUrl('monitoring', 'app=prometheus', 9090);
