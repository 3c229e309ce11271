import type { KubeConfig } from '@kubernetes/client-node';
import { onTestFinished, type TestContext } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silent } from '../../src/base/logger.ts';
import { seededRandom } from '../../src/base/random.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createClient } from '../../src/kube/create-client.ts';
import { kubeConfig } from './api-server.ts';
import { FaultProxy } from './fault-proxy.ts';

/** A client that is closed with the test; a test that runs beside others of its file says by its context which one it is. */
export function makeClient(
  config: KubeConfig = kubeConfig(),
  context: Pick<TestContext, 'onTestFinished'> = { onTestFinished },
): KubeClient {
  const client = createClient(config, {
    logger: silent,
    clock: systemClock,
    random: seededRandom(1),
    userAgent: 'sluice-test',
  });
  context.onTestFinished(() => client.close(0));
  return client;
}

/** A fault proxy, and a client that reaches the API server only through it. */
export async function makeProxiedClient(): Promise<{ proxy: FaultProxy; client: KubeClient }> {
  const proxy = await FaultProxy.start(kubeConfig());
  onTestFinished(() => proxy.stop());
  return { proxy, client: makeClient(proxy.config) };
}
