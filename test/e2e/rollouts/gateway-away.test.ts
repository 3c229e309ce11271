import { expect, test } from 'vitest';
import { deployments } from '../../../src/kube/builtins.ts';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, holdsAt, inPhase, isRolledBack, type Shop } from '../../support/rollout-scenario.ts';

const CONTROLLER = { namespace: 'envoy-gateway-system', name: 'envoy-gateway' };

/** Envoy goes on by what it was last told. */
async function scaleController(shop: Shop, replicas: number, signal = shop.signal): Promise<void> {
  await shop.client.patch(deployments, CONTROLLER, { merge: { spec: { replicas } } }, { signal });
}

const controllerHas = (shop: Shop, replicas: number) =>
  shop.eventually(`${replicas} of the gateway's controllers`, async () => {
    const { status } = (await shop.client.get(deployments, CONTROLLER, { signal: shop.signal })) ?? {};
    return (status?.replicas ?? 0) === replicas && (status?.readyReplicas ?? 0) === replicas;
  });

test('while the controller of the gateway is away, pods that Envoy still sends to stay, and nobody loses a request', async (context) => {
  const shop = await givenShop(context, { steps: [{ weight: 50, hold: '10m' }, { weight: 100 }], replicas: 2 });
  const load = await shop.underLoad();
  await shop.push({ VERSION: 'v2' });
  const { status } = await shop.reaches(holdsAt(50));
  const canary = await shop.podsOf(status.inFlight?.hash);
  shop.atEnd(() => scaleController(shop, 1, AbortSignal.timeout(10_000)));
  await scaleController(shop, 0);
  await controllerHas(shop, 0);

  await shop.act('abort');
  await shop.eventually('weight 0', async () => shop.weights.seen.at(-1) === 0);
  await shop.reaches(inPhase('RollingBack', 'NotObserved'));
  const { answered } = load.snapshot();
  await shop.eventually('400 more answers', async () => load.snapshot().answered > answered + 400);
  expect(await shop.podsOf(status.inFlight?.hash)).toEqual(canary);

  await scaleController(shop, 1);
  await controllerHas(shop, 1);
  const back = await shop.reaches(isRolledBack);
  expect(await shop.podsOf(back.status.rolledBack?.hash)).toEqual([]);
  expectNothingLost(await load.stop());
});
