import { expect, test } from 'vitest';
import { leases } from '../../../src/kube/builtins.ts';
import { kubectl } from '../../support/cluster.ts';
import { givenShop, holdsAt, inPhase, promotedFrom, type Shop } from '../../support/rollout-scenario.ts';

const LEASE = { namespace: 'sluice-system', name: 'sluice-operator' };

/** Name of the leading pod. */
async function leader({ client, signal }: Shop): Promise<string> {
  const lease = await client.get(leases, LEASE, { signal });
  return lease?.spec?.holderIdentity?.split('_')[0] ?? '';
}

test('a leader that is killed in the middle is replaced, and the rollout ends as if nothing had been', async (context) => {
  const steps = [25, 50, 100].map((weight) => ({ weight, hold: '5s' }));
  const shop = await givenShop(context, { steps, replicas: 2 });
  const { stable } = await shop.status();
  const load = await shop.underLoad();
  await shop.push({ VERSION: 'v2' });
  const { status } = await shop.reaches(holdsAt(50));
  const canary = await shop.podsOf(status.inFlight?.hash);
  const killed = await leader(shop);
  await kubectl(['-n', LEASE.namespace, 'delete', 'pod', killed, '--grace-period=0', '--force']);
  await shop.eventually('another leader', async () => {
    const now = await leader(shop);
    return now !== '' && now !== killed;
  });
  await shop.reaches(promotedFrom(stable?.hash));
  expect(shop.weights.seen).toEqual([undefined, 0, 25, 50, 100, undefined]);
  expect(await shop.podsOf(status.inFlight?.hash)).toEqual(canary);
  expect(await shop.traces()).toEqual([]);
  expect(await load.stop()).toMatchObject({ lost: 0, lostByKind: {} });
  await kubectl(['-n', LEASE.namespace, 'rollout', 'status', 'deployment/sluice-operator', '--timeout=120s']);
});

test('scaling to 0 in the middle and back takes the traffic away and goes on from there', async (context) => {
  const steps = [{ weight: 25, hold: '5s' }, { approve: {} }, { weight: 100, hold: '1s' }];
  const shop = await givenShop(context, { steps, replicas: 2 });
  const { stable } = await shop.status();
  await shop.push({ VERSION: 'v2' });
  await shop.reaches(inPhase('AwaitingApproval'));
  await shop.kubectl('scale', 'deployment/shop', '--replicas=0');
  const { status } = await shop.reaches(inPhase('Paused', 'ScaledToZero'));
  await shop.eventually('all pods gone', async () => {
    const all = await Promise.all([shop.podsOf(stable?.hash), shop.podsOf(status.inFlight?.hash)]);
    return all.flat().length === 0;
  });
  expect(shop.weights.seen).toEqual([undefined, 0, 25, 0]);

  await shop.kubectl('scale', 'deployment/shop', '--replicas=2');
  await shop.reaches(inPhase('AwaitingApproval'));
  expect(shop.weights.seen).toEqual([undefined, 0, 25, 0, 25]);
  await shop.act('approve');
  await shop.reaches(promotedFrom(stable?.hash));
  expect(await shop.traces()).toEqual([]);
});
