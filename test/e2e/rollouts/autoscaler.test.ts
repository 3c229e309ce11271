import { expect, test } from 'vitest';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, holdsAt, isRolledBack, type Shop } from '../../support/rollout-scenario.ts';

/** Of each request, so that the load and not idling pods make the figure. */
const CPU_MS = '1.5';

/** CPU of all pods in thousandths of a core, once three readings agree: pods that have just started need more. */
async function steadyCpuMillis(shop: Shop): Promise<number> {
  let readings: readonly number[] = [];
  return shop.eventually('a steady use of CPU', async () => {
    const said = await shop.kubectl('top', 'pods', '--no-headers').catch(() => '');
    const millis = [...said.matchAll(/ (\d+)m /g)].reduce((sum, [, value]) => sum + Number(value), 0);
    if (millis === 0 || millis === readings.at(-1)) return false;
    readings = [...readings.slice(-2), millis];
    const most = Math.max(...readings);
    return readings.length === 3 && Math.min(...readings) > 0.75 * most && most;
  });
}

/**
 * Wants 2 pods for the usual load and 3 for twice as much: 4 targets would be within 10 % of the mean over both revisions,
 * where an autoscaler stands still (docs/rollouts.md, capacity and the HPA).
 */
const autoscaler = (namespace: string, usualMillis: number) => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'shop', namespace },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
    minReplicas: 2,
    maxReplicas: 12,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: `${Math.ceil(usualMillis * 0.75)}m` } },
      },
    ],
    behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
  },
});

/**
 * The size at which the Deployment settles, kept for 800 answers to one half of the users. Pods that start need more than
 * they will, so it may be larger for a while; one that fed itself would never come back.
 */
async function settledSize(shop: Shop, load: { snapshot(): { answered: number } }): Promise<number> {
  let known = { size: 0, since: 0 };
  return shop.eventually('a lasting size of 3 to 5', async () => {
    const size = (await shop.deployment()).spec?.replicas ?? 0;
    const { answered } = load.snapshot();
    if (size !== known.size) known = { size, since: answered };
    return size >= 3 && size <= 5 && answered > known.since + 800 && size;
  });
}

test('under an autoscaler stable is sized for all users while the canary serves them, and a breach returns them to it', async (context) => {
  const steps = [{ weight: 100, hold: '10m' }];
  const shop = await givenShop(context, { steps, replicas: 2, env: { CPU_MS }, cpuRequest: '100m' });
  const { stable } = await shop.status();
  const users = await shop.underLoad();
  await shop.push({ VERSION: 'v2' });
  const { status } = await shop.reaches(holdsAt(100));
  await shop.apply(autoscaler(shop.namespace, await steadyCpuMillis(shop)));
  const asMany = await shop.underLoad();
  const size = await settledSize(shop, users);
  await shop.eventually('both revisions at this size', async () => {
    const both = await Promise.all([stable?.hash, status.inFlight?.hash].map((hash) => shop.podsOf(hash)));
    return both.every(({ length }) => length >= size);
  });
  expect(shop.weights.seen).toEqual([undefined, 0, 100]);

  await shop.demandTooMuch();
  const { deployment, status: after } = await shop.reaches(isRolledBack);
  expect(after.rolledBack).toMatchObject({ reason: 'Breach' });
  expect(shop.weights.seen).toEqual([undefined, 0, 100, 0, undefined]);
  // Only stable's pods count here.
  expect(deployment.status?.availableReplicas).toBeGreaterThanOrEqual(3);
  for (const load of [users, asMany]) expectNothingLost(await load.stop());
});
