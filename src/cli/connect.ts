import { KubeConfig } from '@kubernetes/client-node';
import { systemClock } from '../base/clock.ts';
import { SluiceError } from '../base/errors.ts';
import { silent } from '../base/logger.ts';
import { createClient } from '../kube/create-client.ts';
import { reasonOf } from '../kube/reason.ts';
import type { ConnectFlags, Connection } from './ports.ts';

/** The API server that kubectl would talk to with these flags. Opens no connection yet. */
export function connect({ kubeconfig, context, namespace }: ConnectFlags): Connection {
  const config = load(kubeconfig);
  if (context !== undefined) {
    if (!config.getContexts().some(({ name }) => name === context)) {
      throw new SluiceError('SLUICE_KUBE_CONFIG', `there is no context "${context}" in the kubeconfig`);
    }
    config.setCurrentContext(context);
  }
  const current = config.getContextObject(config.getCurrentContext());
  const ports = { logger: silent, clock: systemClock, random: Math.random, userAgent: 'kubectl-sluice' };
  return {
    client: createClient(config, ports),
    namespace: namespace || current?.namespace || 'default',
    user: current?.user,
  };
}

function load(path: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (cause) {
    const which = path ?? process.env.KUBECONFIG ?? '~/.kube/config';
    throw new SluiceError('SLUICE_KUBE_CONFIG', `cannot read the kubeconfig ${which}: ${reasonOf(cause)}`, {}, cause);
  }
  return config;
}
