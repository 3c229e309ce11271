import { expect, test } from 'vitest';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, promotedFrom } from '../../support/rollout-scenario.ts';

test('a new revision in the middle starts from the first step, and users never meet the one in between again', async (context) => {
  const shop = await givenShop(context, {
    steps: [{ weight: 25, hold: '1s' }, { approve: {} }, { weight: 100, hold: '1s' }],
  });
  const { stable } = await shop.status();
  const load = await shop.underLoad();
  await shop.push({ VERSION: 'v2' });
  const { status: first } = await shop.reaches(({ status }) => status.phase === 'AwaitingApproval');
  await shop.push({ VERSION: 'v3' });
  const { status: second } = await shop.reaches(
    ({ status }) => status.phase === 'AwaitingApproval' && status.inFlight?.hash !== first.inFlight?.hash,
  );
  expect(await shop.podsOf(first.inFlight?.hash)).toEqual([]);
  const { lastSentAt } = load.snapshot().byVersion.v2 ?? {};
  await shop.act('approve');
  const { status } = await shop.reaches(promotedFrom(stable?.hash));

  expect(status.stable?.hash).toBe(second.inFlight?.hash);
  expect(shop.weights.seen).toEqual([undefined, 0, 25, 0, 25, 100, undefined]);
  expect(await shop.traces()).toEqual([]);
  const report = await load.stop();
  expectNothingLost(report);
  const { byVersion } = report;
  expect(byVersion.v2?.lastSentAt).toBe(lastSentAt);
  expect(byVersion.v3?.answered).toBeGreaterThan(0);
});
