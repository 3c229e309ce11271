import { describe, expect, test } from 'vitest';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, isHealthy, isRolledBack } from '../../support/rollout-scenario.ts';
import { withoutTemplate } from '../../support/shop-snapshot.ts';

describe.concurrent('a release that breaks a guardrail', () => {
  test('is rolled back from its weight and stays held, until it is retried or taken back', async (context) => {
    const shop = await givenShop(context, { guarded: true });
    const before = await shop.userObjects();
    const { stable } = await shop.status();
    const stablePods = await shop.podsOf(stable?.hash);
    const load = await shop.underLoad();

    await shop.push({ VERSION: 'v2', ERROR_RATE: '0.5' });
    const first = await shop.reaches(isRolledBack);
    expect(first.status.rolledBack).toMatchObject({ reason: 'Breach' });
    expect(shop.weights.seen).toEqual([undefined, 0, 25, 0, undefined]);
    expect(first.deployment.spec).toMatchObject({ paused: true });
    expect(JSON.stringify(first.deployment.spec?.template)).toContain('"0.5"');
    expect(await shop.podsOf(first.status.rolledBack?.hash)).toEqual([]);

    await shop.act('retry');
    const second = await shop.reaches(
      (seen) => isRolledBack(seen) && seen.status.rolledBack?.at !== first.status.rolledBack?.at,
    );
    expect(second.status.rolledBack?.hash).toBe(first.status.rolledBack?.hash);

    await shop.push({ VERSION: 'v1', ERROR_RATE: '0' });
    await shop.reaches(isHealthy);
    expect(await shop.podsOf(stable?.hash)).toEqual(stablePods);
    expect(await shop.userObjects()).toEqual(before);
    expect(await shop.traces()).toEqual([]);
    expectNothingLost(await load.stop());
  });

  test('in its shadow step is rolled back before a user sees one answer of it', async (context) => {
    const shop = await givenShop(context, {
      guarded: true,
      steps: [{ shadow: { percent: 50 }, hold: '10m' }, { weight: 50 }],
    });
    const before = withoutTemplate(await shop.userObjects());
    const { stable } = await shop.status();
    const stablePods = await shop.podsOf(stable?.hash);
    const load = await shop.underLoad();

    await shop.push({ VERSION: 'v2', ERROR_RATE: '0.5' });
    const { status } = await shop.reaches(isRolledBack);
    expect(status.rolledBack).toMatchObject({ reason: 'Breach' });
    expect(await shop.podsOf(stable?.hash)).toEqual(stablePods);
    const after = withoutTemplate(await shop.userObjects());
    expect({ service: after.service, route: after.route }).toEqual({ service: before.service, route: before.route });

    const { lost, byVersion } = await load.stop();
    expect(lost).toBe(0);
    expect(Object.keys(byVersion)).toEqual(['v1']);
    expect(byVersion.v1?.appErrors).toBe(0);
  });
});
