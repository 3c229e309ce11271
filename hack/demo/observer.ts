import { KubeConfig } from '@kubernetes/client-node';
import { parseRolloutStatus } from '../../src/api/parse.ts';
import type { RolloutStatus } from '../../src/api/rollout-status.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silent } from '../../src/base/logger.ts';
import type { EpochMs } from '../../src/base/units.ts';
import { rolloutsResource } from '../../src/controllers/rollout/sources.ts';
import { httpRoutes } from '../../src/kube/builtins.ts';
import { createClient } from '../../src/kube/create-client.ts';
import { Informer } from '../../src/kube/informer.ts';
import type { KubeObject } from '../../src/kube/resource.ts';

/** What the API server says of one Rollout and its route, as it says it. */
export interface Observer {
  status(): RolloutStatus | undefined;
  /** When the route's weight for the canary was first seen at 0 after `since`; undefined while it is not. */
  loweredAt(since: EpochMs): EpochMs | undefined;
  onStatus(hear: (status: RolloutStatus) => void): void;
  stop(): Promise<void>;
}

interface Weights {
  readonly at: EpochMs;
  readonly canary: number;
}

/** Watches the Rollout and the HTTPRoute `name` in `namespace`, with the credentials of KUBECONFIG. */
export function observe(namespace: string, name: string): Observer {
  const config = new KubeConfig();
  config.loadFromDefault();
  const ports = { clock: systemClock, random: Math.random, logger: silent };
  const client = createClient(config, { ...ports, userAgent: 'sluice-demo' });
  const rollouts = new Informer({ client, ...ports }, { resource: rolloutsResource, namespace });
  const routes = new Informer({ client, ...ports }, { resource: httpRoutes, namespace });
  const weights: Weights[] = [];
  const status = () => {
    const parsed = parseRolloutStatus(rollouts.cache.get({ namespace, name })?.status);
    return parsed.ok ? parsed.status : undefined;
  };
  routes.onChange((change) => {
    if (change.type !== 'deleted' && change.after.metadata.name === name)
      weights.push({ at: systemClock.now(), canary: canaryWeight(change.after) });
  });
  rollouts.start();
  routes.start();
  return {
    status,
    loweredAt: (since) => weights.find(({ at, canary }) => at >= since && canary === 0)?.at,
    onStatus: (hear) =>
      rollouts.onChange(() => {
        const now = status();
        if (now) hear(now);
      }),
    stop: async () => {
      await Promise.all([rollouts.stop(), routes.stop()]);
      await client.close();
    },
  };
}

function canaryWeight(route: KubeObject & { readonly spec?: unknown }): number {
  const { rules = [] } = (route.spec ?? {}) as {
    rules?: readonly { backendRefs?: readonly { name: string; weight?: number }[] }[];
  };
  return Math.max(
    0,
    ...rules.flatMap(({ backendRefs = [] }) =>
      backendRefs.filter(({ name }) => name.endsWith('-canary')).map(({ weight = 1 }) => weight),
    ),
  );
}
