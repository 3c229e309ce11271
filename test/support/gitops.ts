import { setTimeout as delay } from 'node:timers/promises';
import { deployments, httpRoutes, services } from '../../src/kube/builtins.ts';
import type { Resource } from '../../src/kube/resource.ts';
import type { Manifest } from './manifests.ts';
import type { Shop } from './rollout-scenario.ts';
import type { ShopEnv } from './shop-manifests.ts';

const kinds: Readonly<Record<string, Resource>> = { Deployment: deployments, Service: services, HTTPRoute: httpRoutes };
const EVERY_MS = 5_000;

/** What a GitOps tool does with a shop. */
export interface GitOps {
  /** A commit that changes the environment of the app. */
  commit(env: ShopEnv): void;
  /** How often everything has been applied. */
  readonly rounds: number;
}

/**
 * Applies all manifests of the user every 5 s, server-side and by force, as `argocd`. `ignores` takes fields out of its
 * hands as Argo CD's `ignoreDifferences` with `RespectIgnoreDifferences` does: it applies them as they are found.
 */
export function startGitOps(
  shop: Shop,
  signal: AbortSignal,
  ignores: (manifest: Manifest, live: Manifest) => Manifest = (manifest) => manifest,
): GitOps {
  let git: readonly Manifest[] = shop.manifests.user.filter(({ kind }) => kind in kinds);
  let rounds = 0;
  const round = async () => {
    for (const manifest of git) {
      const kind = kinds[manifest.kind] as Resource;
      const live = await shop.client.get(kind, manifest.metadata, { signal });
      const wanted = ignores(structuredClone(manifest), live);
      await shop.client.apply(kind, wanted, { signal, force: true, fieldManager: 'argocd' });
    }
    rounds += 1;
  };
  const loop = async () => {
    for (; !signal.aborted; await delay(EVERY_MS, undefined, { signal })) await round();
  };
  loop().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return {
    commit: (env) => {
      git = git.map((manifest) => (manifest.kind === 'Deployment' ? withEnv(manifest, env) : manifest));
    },
    get rounds() {
      return rounds;
    },
  };
}

function withEnv(deployment: Manifest, env: ShopEnv): Manifest {
  const changed = structuredClone(deployment);
  for (const entry of changed.spec.template.spec.containers[0].env)
    if (entry.name in env) entry.value = env[entry.name];
  return changed;
}
