import { describe, expect, test } from 'vitest';
import { namespaces } from '../../../src/kube/builtins.ts';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, holdsAt, promotedFrom } from '../../support/rollout-scenario.ts';

const longHold = [{ weight: 25, hold: '10m' }, { weight: 100 }];

describe.concurrent('deletion of a Rollout', () => {
  test.for(['background', 'foreground', 'orphan'])(
    'in the middle (%s) gives traffic and objects back and leaves the Deployment held',
    async (cascade, context) => {
      const shop = await givenShop(context, { steps: longHold, replicas: 2 });
      const before = await shop.userObjects();
      const { stable } = await shop.status();
      const stablePods = await shop.podsOf(stable?.hash);
      const load = await shop.underLoad();
      await shop.push({ VERSION: 'v2' });
      const { status } = await shop.reaches(holdsAt(25));

      await shop.kubectl('delete', 'rollouts.sluice.dev', 'shop', `--cascade=${cascade}`, '--timeout=120s');
      const after = await shop.userObjects();
      expect({ service: after.service, route: after.route }).toEqual({ service: before.service, route: before.route });
      expect(after.deployment.metadata).toEqual(before.deployment.metadata);
      expect(after.deployment.spec.paused).toBe(true);
      expect(await shop.traces()).toEqual([]);
      expect(await shop.podsOf(status.inFlight?.hash)).toEqual([]);
      expect(await shop.podsOf(stable?.hash)).toEqual(stablePods);
      expectNothingLost(await load.stop());
    },
  );
});

test('deletion of a healthy Rollout, also after a promotion, leaves every object of its user as it was', async (context) => {
  const shop = await givenShop(context, { replicas: 2 });
  const before = await shop.userObjects();
  const { stable } = await shop.status();
  await shop.push({ VERSION: 'v2' });
  const { status } = await shop.reaches(promotedFrom(stable?.hash));
  await shop.push({ VERSION: 'v1' });
  await shop.reaches(promotedFrom(status.stable?.hash));
  const podsBefore = await shop.podsOf(stable?.hash);
  await shop.kubectl('delete', 'rollouts.sluice.dev', 'shop', '--timeout=120s');
  expect(await shop.userObjects()).toEqual(before);
  expect(await shop.traces()).toEqual([]);
  expect(await shop.podsOf(stable?.hash)).toEqual(podsBefore);
});

test('deletion of the namespace in the middle ends', async (context) => {
  const shop = await givenShop(context, { steps: longHold, replicas: 2 });
  await shop.push({ VERSION: 'v2' });
  await shop.reaches(holdsAt(25));
  await shop.client.delete(namespaces, { name: shop.namespace }, { signal: shop.signal });
  await shop.eventually('the end of the namespace', async () => {
    const found = await shop.client.get(namespaces, { name: shop.namespace }, { signal: shop.signal });
    return found === undefined;
  });
});
