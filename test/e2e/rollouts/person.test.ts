import { describe, expect, test } from 'vitest';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, holdsAt, isHealthy, isRolledBack } from '../../support/rollout-scenario.ts';

const longHold = [{ weight: 25, hold: '10m' }, { weight: 100 }];

describe.concurrent('a person', () => {
  test('aborts, and cannot resume by accident what is held', async (context) => {
    const shop = await givenShop(context, { steps: longHold });
    const { stable } = await shop.status();
    const stablePods = await shop.podsOf(stable?.hash);
    const load = await shop.underLoad();
    await shop.push({ VERSION: 'v2' });
    await shop.reaches(holdsAt(25));

    await shop.act('abort', { reason: 'looks wrong' });
    const { status } = await shop.reaches(isRolledBack);
    expect(status.rolledBack).toMatchObject({ reason: 'AbortAsked', message: 'looks wrong' });
    expect(status.transitions.map(({ by }) => by)).toContain('ann');

    const said = await shop.kubectl('rollout', 'resume', 'deployment/shop');
    expect(said).toContain('Warning: Rollout shop holds this Deployment');
    expect((await shop.deployment()).spec?.paused).toBe(true);
    expect(await shop.podsOf(stable?.hash)).toEqual(stablePods);

    await shop.push({ VERSION: 'v1' });
    await shop.reaches(isHealthy);
    expect(await shop.traces()).toEqual([]);
    expectNothingLost(await load.stop());
  });

  test('pauses the Deployment himself, which is left alone until he resumes it', async (context) => {
    const shop = await givenShop(context, { steps: longHold });
    await shop.kubectl('rollout', 'pause', 'deployment/shop');
    await shop.push({ VERSION: 'v2' });
    const { generation } = (await shop.deployment()).metadata;
    const { status, deployment } = await shop.reaches(
      ({ status, deployment }) =>
        status.reason === 'UserPaused' && deployment.status?.observedGeneration === generation,
    );
    expect(status.inFlight).toBeUndefined();
    expect(deployment.metadata.annotations).not.toHaveProperty('sluice.dev/held-by');
    expect(await shop.traces()).toEqual([]);

    await shop.kubectl('rollout', 'resume', 'deployment/shop');
    const started = await shop.reaches(holdsAt(25));
    expect(started.deployment.spec?.paused).toBe(true);
  });

  test('pauses the rollout, goes on, and lets it pass its approval', async (context) => {
    const shop = await givenShop(context, {
      steps: [{ weight: 25, hold: '1s' }, { approve: {} }, { weight: 100, hold: '1s' }],
      replicas: 2,
    });
    const { stable } = await shop.status();
    await shop.push({ VERSION: 'v2' });
    await shop.reaches(({ status }) => status.phase === 'AwaitingApproval');
    await shop.act('pause');
    await shop.reaches(({ status }) => status.phase === 'Paused');
    await shop.act('resume');
    await shop.reaches(({ status }) => status.phase === 'AwaitingApproval');
    await shop.act('approve');
    await shop.reaches((seen) => isHealthy(seen) && seen.status.stable?.hash !== stable?.hash);
    expect(shop.weights.seen).toEqual([undefined, 0, 25, 100, undefined]);
  });
});
