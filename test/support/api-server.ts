import { randomBytes } from 'node:crypto';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { inject } from 'vitest';

/** Credentials of an administrator at the API server that all integration tests share. */
export function kubeConfig(path: string = inject('kubeconfig')): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(path);
  return config;
}

/** Makes a namespace of its own for a test (or a file) and answers its name, so that tests never see each other's objects. */
export async function makeNamespace(prefix: string, config: KubeConfig = kubeConfig()): Promise<string> {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  await config.makeApiClient(CoreV1Api).createNamespace({ body: { metadata: { name } } });
  return name;
}
