import { describe, expect, test } from 'vitest';
import { startLoad } from '../../../hack/load/load.ts';
import { kubectl } from '../../support/cluster.ts';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, holdsAt, inPhase, promotedFrom, type Shop } from '../../support/rollout-scenario.ts';
import { withoutTemplate } from '../../support/shop-snapshot.ts';

describe.concurrent('a good release', () => {
  test('goes up by its weights, and nobody loses a request, a pod or an object', async (context) => {
    const shop = await givenShop(context, { guarded: true });
    const before = await shop.userObjects();
    const { stable } = await shop.status();
    const load = await shop.underLoad();

    await shop.push({ VERSION: 'v2' });
    const { status } = await shop.reaches(holdsAt(100));
    const hash = status.inFlight?.hash;
    const canary = await shop.podsOf(hash);
    await shop.reaches(promotedFrom(stable?.hash));

    const report = await load.stop();
    expectNothingLost(report);
    const { byVersion, answered } = report;
    expect(answered).toBeGreaterThan(500);
    expect(byVersion.v2?.answered).toBeGreaterThan(0);
    expect(shop.weights.seen).toEqual([undefined, 0, 25, 50, 100, undefined]);
    expect(canary).toHaveLength(3);
    expect(await shop.podsOf(hash)).toEqual(canary);
    expect(await shop.podsOf(stable?.hash)).toEqual([]);
    expect(withoutTemplate(await shop.userObjects())).toEqual(withoutTemplate(before));
    expect(await shop.traces()).toEqual([]);
    expect(await shop.kubectl('rollout', 'status', 'deployment/shop', '--timeout=10s')).toContain('successfully');
    const history = await shop.kubectl('rollout', 'history', 'deployment/shop');
    expect(history.match(/^\d+ /gm)).toEqual(['1 ', '2 ']);
  });

  test('meets a copy of the traffic first, then its own team, and users only after that', async (context) => {
    const steps = [
      { shadow: { percent: 50 }, hold: '2s' },
      { match: { headers: [{ name: 'x-team', value: 'shop' }] }, hold: '1s' },
      { approve: {} },
      { weight: 100, hold: '1s' },
    ];
    const shop = await givenShop(context, { steps, replicas: 2 });
    const { stable } = await shop.status();
    const users = await shop.underLoad();
    await shop.push({ VERSION: 'v2' });
    const { status } = await shop.reaches(inPhase('AwaitingApproval'));
    const copied = await Promise.all(
      (await shop.podsOf(status.inFlight?.hash)).map(({ name }) => requestsAt(shop, name)),
    );
    expect(Math.max(...copied)).toBeGreaterThan(0);

    const clients = [{ kind: 'keep-alive' as const, count: 2, ratePerSecond: 20, headers: { 'x-team': 'shop' } }];
    const team = startLoad({ ...(await shop.gateway()), clients, signal: shop.ending });
    await shop.eventually('100 answers for the team', async () => team.snapshot().answered > 100);
    expect(Object.keys(team.snapshot().byVersion)).toEqual(['v2']);
    expect(Object.keys(users.snapshot().byVersion)).toEqual(['v1']);

    await shop.act('approve');
    await shop.reaches(promotedFrom(stable?.hash));
    expect(shop.weights.seen).toEqual([undefined, 0, 100, undefined]);
    expect(await shop.traces()).toEqual([]);
    expect(Object.keys((await team.stop()).byVersion)).toEqual(['v2']);
    for (const load of [users, team]) expectNothingLost(await load.stop());
  });
});

/** Shop requests that a pod has answered, by its own count. */
async function requestsAt({ namespace }: Shop, pod: string): Promise<number> {
  const text = await kubectl(['get', '--raw', `/api/v1/namespaces/${namespace}/pods/${pod}:8080/proxy/metrics`]);
  const counts = [...text.matchAll(/^http_requests_total\{.*\} (\d+)/gm)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}
