import { expect, test } from 'vitest';
import { givenShop, holdsAt, isRolledBack } from '../../support/rollout-scenario.ts';

/** Of each request: 40 requests a second need about 75 thousandths of a core, far more than pods that idle. */
const CPU_MS = '1.5';
/** Wants 2 pods for 40 requests a second, and 4 for twice as many. */
const autoscaler = (namespace: string) => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'shop', namespace },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
    minReplicas: 2,
    maxReplicas: 12,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '45m' } } }],
  },
});

test('under an autoscaler stable is sized for all users while the canary serves them, and a breach returns them to it', async (context) => {
  const steps = [{ weight: 100, hold: '10m' }];
  const shop = await givenShop(context, { steps, replicas: 2, env: { CPU_MS }, cpuRequest: '100m' });
  const { stable } = await shop.status();
  await shop.apply(autoscaler(shop.namespace));
  const users = await shop.underLoad();
  await shop.push({ VERSION: 'v2' });
  await shop.reaches(holdsAt(100));
  const asMany = await shop.underLoad();
  // The Deployment counts stable's pods alone.
  const { deployment, status } = await shop.reaches(({ deployment: { spec, status } }) => {
    return (status?.replicas ?? 0) >= 4 && status?.availableReplicas === spec?.replicas;
  });
  const stablePods = await shop.podsOf(stable?.hash);
  expect(stablePods).toHaveLength(deployment.spec?.replicas ?? 0);
  await shop.eventually('a canary of the same size', async () => {
    const [canary, { spec }] = await Promise.all([shop.podsOf(status.inFlight?.hash), shop.deployment()]);
    return canary.length === spec?.replicas;
  });
  expect(shop.weights.seen).toEqual([undefined, 0, 100]);

  await shop.demandTooMuch();
  const back = await shop.reaches(isRolledBack);
  expect(back.status.rolledBack).toMatchObject({ reason: 'Breach' });
  expect(shop.weights.seen).toEqual([undefined, 0, 100, 0, undefined]);
  expect(await shop.podsOf(stable?.hash)).toEqual(expect.arrayContaining(stablePods));
  // Pods of both revisions were counted all the time, and it did not feed itself.
  expect(back.deployment.spec?.replicas).toBeLessThanOrEqual(7);
  for (const load of [users, asMany]) expect(await load.stop()).toMatchObject({ lost: 0, lostByKind: {} });
});
