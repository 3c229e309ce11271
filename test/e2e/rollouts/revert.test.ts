import { describe, expect, test } from 'vitest';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, promotedFrom } from '../../support/rollout-scenario.ts';

describe.concurrent('going back to the last revision', () => {
  test.for([0, 1, 10])(
    'is fast, and coming again takes all steps, with a history of %i',
    async (revisionHistoryLimit, context) => {
      const shop = await givenShop(context, { revisionHistoryLimit, replicas: 2 });
      const v1 = (await shop.status()).stable?.hash;
      const load = await shop.underLoad();

      await shop.push({ VERSION: 'v2' });
      const v2 = (await shop.reaches(promotedFrom(v1))).status.stable?.hash;
      expect(shop.weights.seen).toEqual([undefined, 0, 25, 50, 100, undefined]);

      shop.weights.reset();
      await shop.push({ VERSION: 'v1' });
      const back = await shop.reaches(promotedFrom(v2));
      // Without a history its set is gone, and the hash that the Deployment controller had given it.
      if (revisionHistoryLimit > 0) expect(back.status.stable?.hash).toBe(v1);
      expect(shop.weights.seen).toEqual([undefined, 0, 100, undefined]);

      shop.weights.reset();
      await shop.push({ VERSION: 'v2' });
      const again = await shop.reaches(promotedFrom(back.status.stable?.hash));
      expect(again.status.stable?.hash).toBe(v2);
      expect(shop.weights.seen).toEqual([undefined, 0, 25, 50, 100, undefined]);

      expect(await shop.traces()).toEqual([]);
      expectNothingLost(await load.stop());
    },
  );
});
