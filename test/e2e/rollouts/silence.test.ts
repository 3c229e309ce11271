import { expect, test } from 'vitest';
import { kubectl } from '../../support/cluster.ts';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, holdsAt, inPhase, promotedFrom } from '../../support/rollout-scenario.ts';

const steps = [
  { weight: 25, hold: '15s' },
  { weight: 100, hold: '1s' },
];
const scalePrometheus = (replicas: number) =>
  kubectl(['-n', 'monitoring', 'scale', 'deployment/prometheus', `--replicas=${replicas}`]);

test('while Prometheus is down a rollout stays where it is, and goes on when it is back', async (context) => {
  const shop = await givenShop(context, { guarded: true, steps, replicas: 2 });
  const { stable } = await shop.status();
  const load = await shop.underLoad();
  await shop.push({ VERSION: 'v2' });
  await shop.reaches(holdsAt(25));
  context.onTestFinished(async () => {
    await scalePrometheus(1);
  });
  await scalePrometheus(0);
  await shop.reaches(inPhase('AwaitingEvidence', 'ProviderDown'));
  // Longer than the hold would have taken: time alone must not bring it on.
  const { answered } = load.snapshot();
  await shop.eventually('800 more answers', async () => load.snapshot().answered > answered + 800);
  expect(shop.weights.seen).toEqual([undefined, 0, 25]);
  expect((await shop.status()).rolledBack).toBeUndefined();

  await scalePrometheus(1);
  await shop.reaches(promotedFrom(stable?.hash));
  expect(shop.weights.seen).toEqual([undefined, 0, 25, 100, undefined]);
  expectNothingLost(await load.stop());
});

test('without traffic there is no evidence, and a rollout waits for some', async (context) => {
  const shop = await givenShop(context, { guarded: true, steps, replicas: 2 });
  const { stable } = await shop.status();
  await shop.push({ VERSION: 'v2' });
  await shop.reaches(inPhase('AwaitingEvidence', 'NoEvidence'));
  expect(shop.weights.seen).toEqual([undefined, 0, 25]);
  const load = await shop.underLoad();
  await shop.reaches(promotedFrom(stable?.hash));
  expectNothingLost(await load.stop());
});
