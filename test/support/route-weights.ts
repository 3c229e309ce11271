import { httpRoutes } from '../../src/kube/builtins.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { Manifest } from './manifests.ts';

/** What the route gave the canary over time. */
export interface WeightRecord {
  /** Percent, in order, without repetitions; `undefined` where the route is the user's own. */
  readonly seen: readonly (number | undefined)[];
  /** Forgets what was seen so far. */
  reset(): void;
}

/** Watches the shop's route until the signal says stop: polling would miss what does not last. */
export async function recordWeights(client: KubeClient, namespace: string, signal: AbortSignal): Promise<WeightRecord> {
  const seen: (number | undefined)[] = [];
  const note = (route: Manifest) => {
    const weight = canaryWeight(route);
    if (seen.length === 0 || seen.at(-1) !== weight) seen.push(weight);
  };
  const { items, resourceVersion } = await client.list(httpRoutes, { namespace }, { signal });
  for (const route of items) note(route);
  const follow = async () => {
    for await (const event of client.watch(httpRoutes, { namespace, resourceVersion, signal }))
      if (event.type !== 'BOOKMARK') note(event.object);
  };
  follow().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return { seen, reset: () => seen.splice(0, seen.length - 1) };
}

/** Of the rule that carries weights: the one with both helpers. */
function canaryWeight(route: Manifest): number | undefined {
  const refs = route.spec.rules.flatMap((rule: Manifest) => rule.backendRefs ?? []);
  const canary = refs.find(({ name, weight }: Manifest) => name === 'shop-canary' && weight !== undefined);
  if (!canary) return undefined;
  const stable = refs.find(({ name }: Manifest) => name === 'shop-stable');
  return (100 * canary.weight) / (canary.weight + stable.weight);
}
