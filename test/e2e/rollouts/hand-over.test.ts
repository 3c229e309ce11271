import { describe, expect, test } from 'vitest';
import type { Stage } from '../../../src/api/rollout-status.ts';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, holdsAt, isHealthy } from '../../support/rollout-scenario.ts';

const stages: readonly (readonly Stage[])[] = [
  ['PinningCanary', 'ReturningRoute'],
  ['DrainingRoute'],
  ['HandingOver', 'Resuming', 'Unpinning', 'Cleaning'],
];

describe.concurrent('around the hand-over', () => {
  test.for(stages)('a release that is pushed in stage %s is rolled out next', async (wanted, context) => {
    const shop = await givenShop(context, { replicas: 2 });
    const { stable } = await shop.status();
    const load = await shop.underLoad();
    await shop.push({ VERSION: 'v2' });
    const { status } = await shop.reaches(
      ({ status: { inFlight } }) => inFlight !== undefined && wanted.includes(inFlight.stage),
      { everyMs: 50 },
    );
    await shop.push({ VERSION: 'v3' });
    const known = [stable?.hash, status.inFlight?.hash];
    await shop.reaches((seen) => isHealthy(seen) && !known.includes(seen.status.stable?.hash));
    expect(shop.weights.seen.slice(-5)).toEqual([0, 25, 50, 100, undefined]);
    expect(await shop.traces()).toEqual([]);
    expect((await Promise.all(known.map((hash) => shop.podsOf(hash)))).flat()).toEqual([]);
    expectNothingLost(await load.stop());
  });
});

test('a Deployment that is freed behind its back in the middle updates by itself, and nobody loses a request', async (context) => {
  const shop = await givenShop(context, { steps: [{ weight: 25, hold: '10m' }, { weight: 100 }], replicas: 2 });
  const { stable } = await shop.status();
  const load = await shop.underLoad();
  await shop.push({ VERSION: 'v2' });
  await shop.reaches(holdsAt(25));
  await shop.kubectl('label', 'deployment/shop', 'sluice.dev/gate-');
  await shop.changeDeployment({ paused: false });
  const { status } = await shop.reaches((seen) => isHealthy(seen) && seen.status.stable?.hash !== stable?.hash);
  expect(status.transitions.map(({ reason }) => reason)).toContain('GateLost');
  expect(await shop.podsOf(stable?.hash)).toEqual([]);
  expect(await shop.podsOf(status.stable?.hash)).toHaveLength(2);
  expect((await shop.deployment()).metadata.annotations).not.toHaveProperty('sluice.dev/held-by');
  expectNothingLost(await load.stop());
});
