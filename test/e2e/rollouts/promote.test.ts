import { expect, test } from 'vitest';
import { givenShop, holdsAt, promotedFrom } from '../../support/rollout-scenario.ts';
import { withoutTemplate } from '../../support/shop-snapshot.ts';

test('a good release goes up by its weights, and nobody loses a request, a pod or an object', async (context) => {
  const shop = await givenShop(context, { guarded: true });
  const before = await shop.userObjects();
  const { stable } = await shop.status();
  const load = await shop.underLoad();

  await shop.push({ VERSION: 'v2' });
  const { status } = await shop.reaches(holdsAt(100));
  const hash = status.inFlight?.hash;
  const canary = await shop.podsOf(hash);
  await shop.reaches(promotedFrom(stable?.hash));

  const { lost, lostByKind, byVersion, answered } = await load.stop();
  expect({ lost, lostByKind }).toEqual({ lost: 0, lostByKind: {} });
  expect(answered).toBeGreaterThan(500);
  expect(byVersion.v2?.answered).toBeGreaterThan(0);
  expect(shop.weights.seen).toEqual([undefined, 0, 25, 50, 100, undefined]);
  expect(canary).toHaveLength(3);
  expect(await shop.podsOf(hash)).toEqual(canary);
  expect(await shop.podsOf(stable?.hash)).toEqual([]);
  expect(withoutTemplate(await shop.userObjects())).toEqual(withoutTemplate(before));
  expect(await shop.traces()).toEqual([]);
  expect(await shop.kubectl('rollout', 'status', 'deployment/shop', '--timeout=10s')).toContain('successfully');
  const history = await shop.kubectl('rollout', 'history', 'deployment/shop');
  expect(history.match(/^\d+ /gm)).toEqual(['1 ', '2 ']);
});
