import { expect, test } from 'vitest';
import { kubectl } from '../../support/cluster.ts';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, inPhase, promotedFrom, type Shop } from '../../support/rollout-scenario.ts';
import type { PodIdentity } from '../../support/shop-snapshot.ts';

/** What `kubectl drain` asks for every pod; answers whether the budget allowed it. */
async function evicts({ namespace }: Shop, { name }: PodIdentity): Promise<boolean> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  const asked = kubectl(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction));
  return asked.then(
    () => true,
    (error: unknown) => {
      if (String(error).includes('disruption budget')) return false;
      throw error;
    },
  );
}

/** Counts the pods of both revisions. */
const budget = (namespace: string) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'shop', namespace },
  spec: { minAvailable: '60%', selector: { matchLabels: { app: 'shop' } } },
});

/** The budget knows of all these pods and would let so many go. */
async function budgetAllows(shop: Shop, disruptions: number): Promise<void> {
  await shop.eventually(`a budget for ${disruptions} pods`, async () => {
    const said = await shop.kubectl(
      'get',
      'pdb',
      'shop',
      '-o',
      'jsonpath={.status.expectedPods}/{.status.disruptionsAllowed}',
    );
    return said === `5/${disruptions}`;
  });
}

test('a node is drained in the middle: the budget is kept, no weight rises without stable, nobody loses a request', async (context) => {
  const node = (await kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}'])).trim();
  const steps = [{ weight: 25, hold: '1s' }, { approve: {} }, { weight: 100, hold: '1s' }];
  const shop = await givenShop(context, { steps, replicas: 3 });
  const { stable } = await shop.status();
  await shop.apply(budget(shop.namespace));
  const load = await shop.underLoad();
  await shop.push({ VERSION: 'v2' });
  const { status } = await shop.reaches(inPhase('AwaitingApproval'));
  const [stablePods, canaryPods] = await Promise.all(
    [stable?.hash, status.inFlight?.hash].map((hash) => shop.podsOf(hash)),
  );

  await budgetAllows(shop, 2);
  // Every canary pod at once, and then one too many.
  const evicted = [];
  for (const pod of [...(canaryPods ?? []), ...(stablePods ?? []).slice(0, 1)]) evicted.push(await evicts(shop, pod));
  expect(evicted).toEqual([true, true, false]);
  await shop.reaches(({ status }) => status.inFlight?.loweredCount === 1 && status.phase === 'AwaitingApproval');
  expect(shop.weights.seen).toEqual([undefined, 0, 25, 0, 25]);

  await budgetAllows(shop, 2);
  shop.atEnd(async () => {
    await kubectl(['uncordon', node]);
  });
  await kubectl(['cordon', node]);
  const gone = [];
  for (const pod of stablePods ?? []) gone.push(await evicts(shop, pod));
  expect(gone).toEqual([true, true, false]);
  await shop.act('approve');
  await shop.reaches(({ status }) => status.reason === 'StableBelowStrength');
  const { answered } = load.snapshot();
  await shop.eventually('300 more answers', async () => load.snapshot().answered > answered + 300);
  expect(shop.weights.seen).toEqual([undefined, 0, 25, 0, 25]);

  await kubectl(['uncordon', node]);
  await shop.reaches(promotedFrom(stable?.hash));
  expect(shop.weights.seen).toEqual([undefined, 0, 25, 0, 25, 100, undefined]);
  expect(await shop.traces()).toEqual([]);
  expectNothingLost(await load.stop());
});
