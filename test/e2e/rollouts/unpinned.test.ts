import { describe, expect, test } from 'vitest';
import type { RolloutStatus } from '../../../src/api/rollout-status.ts';
import { refuseUpdates } from '../../support/admission-policy.ts';
import { startGitOps } from '../../support/gitops.ts';
import type { Manifest } from '../../support/manifests.ts';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, holdsAt, isRolledBack, promotedFrom, type Shop } from '../../support/rollout-scenario.ts';
import { withoutTemplate } from '../../support/shop-snapshot.ts';

/** A manager that knows of routes and nothing of pins. */
function leavesTheRouteAlone(manifest: Manifest, live: Manifest): Manifest {
  if (manifest.kind === 'HTTPRoute') manifest.spec.rules = live.spec.rules;
  return manifest;
}

const pinOf = ({ conditions }: RolloutStatus) => conditions.find(({ type }) => type === 'ServicePinned');
const waitsForThePin = (reason: 'Reverted' | 'Refused') =>
  function waiting({ status }: { readonly status: RolloutStatus }): boolean {
    return status.reason === 'ServiceUnpinned' && pinOf(status)?.reason === reason;
  };

/** Time as users measure it: 40 answers a second. */
async function answers(shop: Shop, load: { snapshot(): { answered: number } }, count: number): Promise<void> {
  const { answered } = load.snapshot();
  await shop.eventually(`${count} more answers`, async () => load.snapshot().answered > answered + count);
}

describe.concurrent('a Service whose selector others keep', () => {
  test('by putting it back every 5 s: no weight rises, unless the user lets it', async (context) => {
    const shop = await givenShop(context, {
      steps: [
        { weight: 25, hold: '30s' },
        { weight: 100, hold: '1s' },
      ],
      replicas: 2,
    });
    const before = withoutTemplate(await shop.userObjects());
    const { stable } = await shop.status();
    const load = await shop.underLoad();
    const argo = startGitOps(shop, shop.ending, leavesTheRouteAlone);
    argo.commit({ VERSION: 'v2' });
    const { status } = await shop.reaches(waitsForThePin('Reverted'));
    expect(pinOf(status)).toMatchObject({ status: 'False', message: expect.stringMatching('argocd') });
    shop.weights.reset();
    await answers(shop, load, 800);
    expect(pinOf(await shop.status())).toMatchObject({ status: 'False', reason: 'Reverted' });
    expect(shop.weights.seen).toHaveLength(1);

    await shop.change({ traffic: { onUnpinned: 'Continue' } });
    await shop.reaches(promotedFrom(stable?.hash));
    expect(shop.weights.seen.slice(-3)).toEqual([25, 100, undefined]);
    expect(withoutTemplate(await shop.userObjects())).toEqual(before);
    expect(await shop.traces()).toEqual([]);
    expectNothingLost(await load.stop());
  });

  test('by a policy that refuses every change: it is named, going on and back and away work without it', async (context) => {
    const shop = await givenShop(context, { steps: [{ weight: 25, hold: '10m' }, { weight: 100 }], replicas: 2 });
    const before = await shop.userObjects();
    const { stable } = await shop.status();
    const stablePods = await shop.podsOf(stable?.hash);
    const load = await shop.underLoad();
    await refuseUpdates(shop, {
      resource: 'services',
      apiVersion: 'v1',
      unless: "object.metadata.name != 'shop' || object.spec.selector == oldObject.spec.selector",
      probe: ['patch', 'service', 'shop', '-p', '{"spec":{"selector":{"who":"me"}}}'],
    });
    await shop.push({ VERSION: 'v2' });
    const { status } = await shop.reaches(waitsForThePin('Refused'));
    expect(pinOf(status)).toMatchObject({ status: 'False', message: expect.stringMatching('keeps services') });
    await answers(shop, load, 400);
    expect(shop.weights.seen).toEqual([undefined]);

    await shop.change({ traffic: { onUnpinned: 'Continue' } });
    await shop.reaches(holdsAt(25));
    await shop.act('abort');
    await shop.reaches(isRolledBack);
    expect(shop.weights.seen).toEqual([undefined, 0, 25, 0, undefined]);
    expect(await shop.podsOf(stable?.hash)).toEqual(stablePods);

    await shop.act('retry');
    await shop.reaches(holdsAt(25));
    await shop.kubectl('delete', 'rollouts.sluice.dev', 'shop', '--timeout=120s');
    const after = await shop.userObjects();
    expect({ service: after.service, route: after.route }).toEqual({ service: before.service, route: before.route });
    expect(await shop.traces()).toEqual([]);
    expect(await shop.podsOf(stable?.hash)).toEqual(stablePods);
    expectNothingLost(await load.stop());
  });

  test('by such a policy: a release is promoted all the same where the user lets it', async (context) => {
    const shop = await givenShop(context, {
      replicas: 2,
      steps: [{ weight: 50, hold: '1s' }],
    });
    await shop.change({ traffic: { onUnpinned: 'Continue' } });
    const { stable } = await shop.status();
    const load = await shop.underLoad();
    await refuseUpdates(shop, {
      resource: 'services',
      apiVersion: 'v1',
      unless: "object.metadata.name != 'shop' || object.spec.selector == oldObject.spec.selector",
      probe: ['patch', 'service', 'shop', '-p', '{"spec":{"selector":{"who":"me"}}}'],
    });
    await shop.push({ VERSION: 'v2' });
    await shop.reaches(promotedFrom(stable?.hash));
    expect(shop.weights.seen).toEqual([undefined, 0, 50, 100, undefined]);
    expect(await shop.traces()).toEqual([]);
    expectNothingLost(await load.stop());
  });
});
