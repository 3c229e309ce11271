import { expect, test } from 'vitest';
import { PLAN_ANNOTATION } from '../../../src/api/names.ts';
import { httpRoutes, leases } from '../../../src/kube/builtins.ts';
import { refuseUpdates } from '../../support/admission-policy.ts';
import { kubectl } from '../../support/cluster.ts';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { killProcesses } from '../../support/pod-processes.ts';
import { givenShop, holdsAt, inPhase, isRolledBack, promotedFrom, type Shop } from '../../support/rollout-scenario.ts';

const LEASE = { namespace: 'sluice-system', name: 'sluice-operator' };

/** Who leads: the name of the pod and what tells one life of it from the next. */
async function holder({ client, signal }: Shop): Promise<string> {
  const lease = await client.get(leases, LEASE, { signal });
  return lease?.spec?.holderIdentity ?? '';
}

/** Name of the leading pod. */
const leader = async (shop: Shop): Promise<string> => (await holder(shop)).split('_')[0] ?? '';

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
  expectNothingLost(await load.stop());
  await kubectl(['-n', LEASE.namespace, 'rollout', 'status', 'deployment/sluice-operator', '--timeout=120s']);
});

test('a leader that is killed between its write to the route and to status is followed by one that knows what it did', async (context) => {
  const steps = [{ weight: 25, hold: '10m' }, { weight: 100 }];
  const shop = await givenShop(context, { steps, replicas: 2 });
  const { stable } = await shop.status();
  const stablePods = await shop.podsOf(stable?.hash);
  const load = await shop.underLoad();
  await shop.push({ VERSION: 'v2' });
  await shop.reaches(holdsAt(25));
  const lift = await refuseUpdates(shop, {
    resource: 'rollouts/status',
    apiGroup: 'sluice.dev',
    apiVersion: 'v1alpha1',
    probe: [
      'patch',
      'rollouts.sluice.dev',
      'shop',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"message":""}}',
    ],
  });
  const before = await shop.status();
  await shop.demandTooMuch();
  await shop.eventually('weight 0', async () => shop.weights.seen.at(-1) === 0);
  // Until no sample shows the breach any more: the next leader has nothing but the record.
  const { answered } = load.snapshot();
  await shop.eventually('800 more answers', async () => load.snapshot().answered > answered + 800);
  const { metadata } =
    (await shop.client.get(httpRoutes, { namespace: shop.namespace, name: 'shop' }, { signal: shop.signal })) ?? {};
  const record = JSON.parse(metadata?.annotations?.[PLAN_ANNOTATION] ?? '{}');
  expect(record).toMatchObject({ revision: before.inFlight?.hash, verdict: 'RolledBack', epoch: before.epoch });
  const [killed, identity] = [await leader(shop), await holder(shop)];
  await killProcesses(shop, LEASE.namespace, killed);
  await shop.eventually('another leader', async () => !['', identity].includes(await holder(shop)));
  expect(await shop.status()).toEqual(before);
  await lift();

  const { status } = await shop.reaches(isRolledBack);
  expect(status.rolledBack).toMatchObject({
    hash: before.inFlight?.hash,
    reason: 'Breach',
    message: expect.stringContaining('record'),
  });
  expect(status.epoch).toBe(before.epoch);
  expect(shop.weights.seen).toEqual([undefined, 0, 25, 0, undefined]);
  expect(await shop.podsOf(stable?.hash)).toEqual(stablePods);
  expectNothingLost(await load.stop());
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
