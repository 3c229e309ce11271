import { describe, expect, test } from 'vitest';
import { givenShop, holdsAt, isRolledBack, type Shop } from '../../support/rollout-scenario.ts';

const longHold = [{ weight: 25, hold: '10m' }, { weight: 100 }];
/** Long enough to be at 25 % before, on a busy machine. */
const CRASH = { VERSION: 'v2', CRASH_AFTER_MS: '30000' };

/** The canary's pods die, and the route takes all traffic from them. */
async function lowered(shop: Shop): Promise<void> {
  await shop.reaches(({ status }) => status.inFlight?.lowered !== undefined);
  expect(shop.weights.seen.slice(0, 4)).toEqual([undefined, 0, 25, 0]);
}

describe.concurrent('a canary whose pods fail', () => {
  test('all at once at 25 % loses its traffic at once, gets it back, and is rolled back the third time', async (context) => {
    const shop = await givenShop(context, { steps: longHold, replicas: 2 });
    const { stable } = await shop.status();
    const stablePods = await shop.podsOf(stable?.hash);
    await shop.push(CRASH);
    await lowered(shop);
    const { status } = await shop.reaches(isRolledBack);
    expect(status.rolledBack).toMatchObject({ reason: 'CannotServe' });
    expect(shop.weights.seen).toEqual([undefined, 0, 25, 0, 25, 0, 25, 0, undefined]);
    expect(await shop.podsOf(stable?.hash)).toEqual(stablePods);
  });

  test('all at once while the rollout is paused loses its traffic at once, and users lose nothing after that', async (context) => {
    const shop = await givenShop(context, { steps: longHold, replicas: 2 });
    const load = await shop.underLoad();
    await shop.push(CRASH);
    await shop.reaches(holdsAt(25));
    await shop.change({ paused: true });
    await shop.reaches(({ status }) => status.phase === 'Paused');
    await lowered(shop);
    const { answered, endedAt } = load.snapshot();
    await shop.eventually('200 more answers', async () => load.snapshot().answered > answered + 200);
    const { losses } = await load.stop();
    // Settling of the gateway: what was sent within it may have met a pod that was dying.
    expect(losses.filter(({ sentAt }) => sentAt > endedAt + 2_000)).toEqual([]);
    expect(shop.weights.seen).toEqual([undefined, 0, 25, 0]);
    expect((await shop.status()).phase).toBe('Paused');
  });

  test('to become ready never gets a request, and is rolled back at its deadline', async (context) => {
    const shop = await givenShop(context, { replicas: 2, rollout: { progressDeadline: '20s' } });
    const { stable } = await shop.status();
    const stablePods = await shop.podsOf(stable?.hash);
    await shop.push({ VERSION: 'v2', READY_AFTER_MS: 'never' });
    const { status } = await shop.reaches(isRolledBack);
    expect(status.rolledBack).toMatchObject({ reason: 'PodsFailing' });
    expect(shop.weights.seen).toEqual([undefined]);
    expect(await shop.podsOf(stable?.hash)).toEqual(stablePods);
  });
});
