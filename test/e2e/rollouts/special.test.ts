import { describe, expect, test } from 'vitest';
import { startLoad } from '../../../hack/load/load.ts';
import { givenShop, holdsAt, isRolledBack } from '../../support/rollout-scenario.ts';
import { withoutTemplate } from '../../support/shop-snapshot.ts';

describe.concurrent('special cases', () => {
  test('mode Observe lets a bad release run, says what it would have done and writes to nothing', async (context) => {
    const shop = await givenShop(context, {
      guarded: true,
      steps: [{ weight: 50, hold: '1m' }],
      rollout: { mode: 'Observe' },
    });
    const before = withoutTemplate(await shop.userObjects());
    const { stable } = await shop.status();
    const load = await shop.underLoad();
    await shop.push({ VERSION: 'v2', ERROR_RATE: '0.5' });
    await shop.reaches(({ status }) => status.reason === 'WouldRollBack');
    const { status } = await shop.reaches(({ status }) => status.inFlight === undefined);
    expect(status.phase).toBe('Healthy');
    expect(status.stable?.hash).not.toBe(stable?.hash);
    expect(shop.weights.seen).toEqual([undefined]);
    expect(withoutTemplate(await shop.userObjects())).toEqual(before);
    expect(await shop.traces()).toEqual([]);
    await load.stop();
  });

  test('a breach while stable is dead moves nobody to nowhere, unless a person insists', async (context) => {
    const steps = [{ weight: 50, hold: '10m' }, { weight: 100 }];
    const shop = await givenShop(context, { guarded: true, steps, replicas: 2 });
    const { stable } = await shop.status();
    const load = await shop.underLoad();
    // 20 requests a second for two pods are well below this.
    await shop.push({ VERSION: 'v2', ERROR_RATE: '0.5', ERROR_ABOVE_RPS: '30' });
    await shop.reaches(holdsAt(50));
    for (const { name } of await shop.podsOf(stable?.hash))
      await shop.kubectl('set', 'image', `pod/${name}`, 'app=sluice.local/none:none');
    await shop.reaches(({ status }) => status.reason === 'StableDown');
    const rush = startLoad({
      ...(await shop.gateway()),
      clients: [{ kind: 'keep-alive', count: 20, ratePerSecond: 200 }],
      signal: shop.ending,
    });
    await shop.reaches(({ status }) => status.reason === 'NoStableToReturnTo');
    await Promise.all([rush.stop(), load.stop()]);
    expect(shop.weights.seen).toEqual([undefined, 0, 50]);
    expect(await shop.kubectl('get', 'events')).toContain('NoStableToReturnTo');

    await shop.act('abort-force');
    await shop.reaches(isRolledBack);
    expect(shop.weights.seen).toEqual([undefined, 0, 50, 0, undefined]);
  });
});
