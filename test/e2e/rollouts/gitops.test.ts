import { describe, expect, test } from 'vitest';
import { startGitOps } from '../../support/gitops.ts';
import type { Manifest } from '../../support/manifests.ts';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, isRolledBack, promotedFrom } from '../../support/rollout-scenario.ts';

/** What docs/gitops.md tells to leave to Sluice: where a route's rules send, and what the Service selects. */
function leavesTrafficAlone(manifest: Manifest, live: Manifest): Manifest {
  if (manifest.kind === 'HTTPRoute') manifest.spec.rules = live.spec.rules;
  return leavesSelectorAlone(manifest, live);
}

/** Before the Service has been pinned for long enough, Sluice writes no route: a fight over both is one over the Service (unpinned.test.ts). */
function leavesSelectorAlone(manifest: Manifest, live: Manifest): Manifest {
  if (manifest.kind === 'Service') manifest.spec.selector = live.spec.selector;
  return manifest;
}

describe.concurrent('a GitOps tool that applies all manifests by force every 5 s', () => {
  test('and leaves traffic alone releases with every commit, and nobody loses a request', async (context) => {
    const shop = await givenShop(context, { replicas: 2 });
    const { stable } = await shop.status();
    const load = await shop.underLoad();
    const argo = startGitOps(shop, shop.ending, leavesTrafficAlone);
    argo.commit({ VERSION: 'v2' });
    const { status } = await shop.reaches(promotedFrom(stable?.hash));
    expect(shop.weights.seen.filter((weight) => weight !== undefined)).toEqual([0, 25, 50, 100]);
    const { rounds } = argo;
    await shop.eventually('two more rounds', async () => argo.rounds > rounds + 2);
    expect((await shop.status()).stable).toEqual(status.stable);
    expect(await shop.traces()).toEqual([]);
    expectNothingLost(await load.stop());
  });

  test('and takes the route back is named, and going back wins', async (context) => {
    const steps = [{ weight: 25, hold: '10m' }, { weight: 100 }];
    const shop = await givenShop(context, { steps, replicas: 2 });
    const { stable } = await shop.status();
    const stablePods = await shop.podsOf(stable?.hash);
    const argo = startGitOps(shop, shop.ending, leavesSelectorAlone);
    argo.commit({ VERSION: 'v2' });
    const { status } = await shop.reaches(({ status }) =>
      status.conditions.some(({ type, reason }) => type === 'TrafficProgrammed' && reason === 'ForeignManager'),
    );
    const condition = status.conditions.find(({ type }) => type === 'TrafficProgrammed');
    expect(condition).toMatchObject({ status: 'False', message: expect.stringContaining('argocd') });

    await shop.act('abort');
    const back = await shop.reaches(isRolledBack);
    expect(await shop.podsOf(back.status.rolledBack?.hash)).toEqual([]);
    expect(await shop.podsOf(stable?.hash)).toEqual(stablePods);
    argo.commit({ VERSION: 'v1' });
    await shop.reaches(({ status }) => status.phase === 'Healthy' && status.reason === 'Healthy');
    expect(await shop.podsOf(stable?.hash)).toEqual(stablePods);
  });
});
