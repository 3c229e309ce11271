import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { DEFAULT_INSTANCE, type Instance, kubeconfigOf } from './instance.ts';
import { kindKubeconfig } from './kind.ts';

/** Who runs the cluster. */
export type Provider =
  /** Somebody else: the kubeconfig that `KUBECONFIG` names. */
  | { readonly kind: 'existing'; readonly kubeconfig: string }
  /** kind, in containers of a Docker engine. */
  | { readonly kind: 'kind' }
  /** We do, as processes of this machine. */
  | { readonly kind: 'local' };

const DOCKER_TIMEOUT_MS = 2_000;

/**
 * An explicit `KUBECONFIG`, else kind where a Docker engine answers, else our own. `SLUICE_PROVIDER=local` skips kind. An
 * instance that is asked for by name is always our own; and `up` tells people to export the `KUBECONFIG` of what it has
 * started, which makes it nobody else's.
 */
export async function chooseProvider(instance: Instance, env: NodeJS.ProcessEnv = process.env): Promise<Provider> {
  if (instance.name !== DEFAULT_INSTANCE || env.KUBECONFIG === kubeconfigOf(instance)) return { kind: 'local' };
  if (env.KUBECONFIG === kindKubeconfig(instance)) return { kind: 'kind' };
  if (env.KUBECONFIG) return { kind: 'existing', kubeconfig: env.KUBECONFIG };
  if (env.SLUICE_PROVIDER === 'local') return { kind: 'local' };
  const socket = dockerSocket(env);
  return socket !== undefined && (await dockerAnswers(socket)) ? { kind: 'kind' } : { kind: 'local' };
}

function dockerSocket({ DOCKER_HOST }: NodeJS.ProcessEnv): string | undefined {
  if (DOCKER_HOST?.startsWith('unix://')) return DOCKER_HOST.slice('unix://'.length);
  // An engine elsewhere would not have our files.
  return DOCKER_HOST ? undefined : '/var/run/docker.sock';
}

/** True when an engine answers within 2 s: the client alone, or a dead socket, is none. */
function dockerAnswers(socketPath: string): Promise<boolean> {
  if (!existsSync(socketPath)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(DOCKER_TIMEOUT_MS);
    const asked = request({ socketPath, path: '/_ping', signal }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on('error', () => resolve(false)).end();
  });
}
