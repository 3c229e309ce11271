import { describe, expect, test } from 'vitest';
import { httpRoutes } from '../../../src/kube/builtins.ts';
import { type HttpRoute, matchesOf } from '../../../src/traffic/gateway-api/http-route.ts';
import { kubectl } from '../../support/cluster.ts';
import { inPhase, isRolledBack, promotedFrom, type Shop } from '../../support/rollout-scenario.ts';
import {
  failOpens,
  givenStickyShop,
  healEvaluators,
  isAdmitted,
  peopleOf,
  pushWithSidecar,
  scaleEvaluators,
  sidecarsAnswers,
  stepsOf,
  weightReached,
} from '../../support/sticky-scenario.ts';
import { tokenCheck } from '../../support/token-check.ts';

const USERS = 2_000;

describe('a release by people', () => {
  test('adds people and sends nobody back, and the check of tokens at the Gateway stays', async (context) => {
    const shop = await givenStickyShop(context, { steps: stepsOf(5, 25, 50, 100), replicas: 2 });
    const { policy, token } = tokenCheck({ namespace: 'gateways', name: 'sluice-demo' });
    shop.atEnd(async () => void (await kubectl(['delete', '-f', '-', '--ignore-not-found'], JSON.stringify(policy))));
    await shop.apply(policy);
    const people = await peopleOf(shop, USERS, { authorization: `Bearer ${token}` });
    const withoutToken = async () => (await people.ask({ 'x-user-id': 'user-1' })).status;
    await shop.eventually('401 without a token', async () => (await withoutToken()) === 401);

    const { stable } = await shop.status();
    const openedBefore = await failOpens();
    await shop.push({ VERSION: 'v2' });
    people.keepComing(shop.ending);
    const shares: number[] = [];
    for (const percent of [5, 25, 50, 100]) {
      const { status } = await weightReached(shop, percent);
      const hash = status.inFlight?.hash ?? '';
      const opened = await failOpens();
      const seen = await people.round(shop.ending);
      const onCanary = [...seen].filter(([, version]) => version === 'v2').map(([user]) => user);
      shares.push(onCanary.length / USERS);
      expect(seen.size).toBe(USERS);
      const openedNow = (await failOpens()) - opened;
      const expected = (USERS * percent) / 100;
      const chance = 5 * Math.sqrt(expected * (1 - percent / 100));
      expect(onCanary.length).toBeLessThanOrEqual(expected + chance);
      expect(onCanary.length).toBeGreaterThanOrEqual(expected - chance - openedNow);
      const mistaken = [...seen].filter(
        ([user, version]) => (version === 'v2') !== isAdmitted(shop, hash, user, percent),
      );
      expect(mistaken.length).toBeLessThanOrEqual(openedNow);
      expect(await withoutToken()).toBe(401);
      await shop.act('approve');
    }
    await shop.reaches(promotedFrom(stable?.hash));
    expect(await withoutToken()).toBe(401);
    await people.round(shop.ending);
    await people.leave();
    const opened = (await failOpens()) - openedBefore;
    const seen = JSON.stringify({ asked: people.asked, rounds: people.rounds, shares });
    expect(people.wentBack('v2', 'v1'), seen).toBeLessThanOrEqual(opened);
    expect(Object.fromEntries(people.failures)).toEqual({});
    expect(shop.weights.seen).toEqual([undefined, 0, 100, undefined]);
    expect(await shop.traces()).toEqual([]);
    expect(await policiesOf(shop)).toEqual([]);
    // Shops of other tests may still be on their way out.
    await shop.eventually('nothing shared being left', async () => (await sharedPolicies()).length === 0);
  });

  test('gives the application the same answer from its own evaluator as the route gave', async (context) => {
    const shop = await givenStickyShop(context, { steps: stepsOf(50, 100), replicas: 2 });
    await pushWithSidecar(shop, 'v2');
    const { status } = await weightReached(shop, 50);
    const people = await peopleOf(shop, 100);
    const [pod] = await shop.podsOf(status.inFlight?.hash);
    await shop.eventually('the same answers', async () => {
      const opened = await failOpens();
      const seen = await people.round(shop.ending);
      const answers = await sidecarsAnswers(shop, pod?.name ?? '', [...seen.keys()]);
      const different = [...seen].filter(([user, version]) => (version === 'v2') !== (answers[user] === 'canary'));
      return seen.size === 100 && different.length <= (await failOpens()) - opened && different.length < 10;
    });

    // Deleted in the middle, the Rollout takes along what it attached.
    expect(await policiesOf(shop)).toEqual([expect.stringMatching(/^sluice-shop-shop-[0-9a-f]{8}$/)]);
    await shop.kubectl('delete', 'rollouts.sluice.dev', 'shop', '--timeout=180s');
    expect(await policiesOf(shop)).toEqual([]);
    expect(new Set((await people.round(shop.ending)).values())).toEqual(new Set(['v1']));
  });

  test('falls back to stable without an error when no evaluator is left, and goes on when they are back', async (context) => {
    const shop = await givenStickyShop(context, { steps: stepsOf(50, 100), replicas: 2 });
    shop.atEnd(healEvaluators);
    const people = await peopleOf(shop, 300);
    await shop.push({ VERSION: 'v2' });
    await weightReached(shop, 50);
    const before = await people.round(shop.ending);
    expect([...before.values()].filter((version) => version === 'v2').length).toBeGreaterThan(100);

    people.keepComing(shop.ending);
    await scaleEvaluators(0);
    await shop.eventually('everybody on stable', async () =>
      [...(await people.round(shop.ending)).values()].every((version) => version === 'v1'),
    );
    const { status } = await shop.reaches(inPhase('Progressing', 'NoEvaluator'));
    // Nobody overwrites what comes from outside now: the listener alone keeps it out.
    const hash = status.inFlight?.hash ?? '';
    expect(await revisionsMatched(shop)).toEqual([hash]);
    const admitted = [...before].find(([, version]) => version === 'v2')?.[0] ?? '';
    for (let i = 0; i < 20; i++)
      expect(await people.ask({ 'x-user-id': 'user-1', ...forgedBy(hash, admitted) })).toMatchObject({
        status: 200,
        version: 'v1',
      });
    expect(status.conditions.find(({ type }) => type === 'TrafficProgrammed')).toMatchObject({ status: 'False' });
    expect(status.message).toContain('evaluator.enabled');

    await healEvaluators();
    await shop.eventually('everybody where they were', async () => {
      const opened = await failOpens();
      const now = await people.round(shop.ending);
      const elsewhere = [...before].filter(([user, version]) => now.get(user) !== version).length;
      // What the gateway let through without an answer goes to stable.
      return elsewhere < before.size / 10 && elsewhere <= (await failOpens()) - opened;
    });
    await weightReached(shop, 50);
    await shop.act('abort');
    await shop.reaches(isRolledBack);
    await people.leave();
    expect(new Set((await people.round(shop.signal)).values())).toEqual(new Set(['v1']));
    expect(Object.fromEntries(people.failures)).toEqual({});
    expect(await policiesOf(shop)).toEqual([]);
  });

  test('refuses a route whose policy is somebody else’s, says what to add, and then uses that policy', async (context) => {
    const shop = await givenStickyShop(context, { steps: stepsOf(50, 100), replicas: 2 });
    const { namespace } = shop;
    const target = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'shop' };
    const policy = (more: object) => ({
      apiVersion: 'gateway.envoyproxy.io/v1alpha1',
      kind: 'SecurityPolicy',
      metadata: { namespace, name: 'theirs' },
      spec: { targetRefs: [target], cors: { allowOrigins: ['https://shop.example'] }, ...more },
    });
    await shop.apply(policy({}));
    const { status } = await shop.reaches(({ status: { conditions } }) =>
      conditions.some(({ type, reason }) => type === 'Accepted' && reason === 'SLUICE_STICKINESS_POLICY_TAKEN'),
    );
    const accepted = status.conditions.find(({ type }) => type === 'Accepted');
    const [, stanza = ''] = /add to its spec: (\{.*\})$/.exec(accepted?.message ?? '') ?? [];
    await shop.apply(policy(JSON.parse(stanza)));
    await shop.push({ VERSION: 'v2' });
    await weightReached(shop, 50);
    const people = await peopleOf(shop, 200);
    const onCanary = [...(await people.round(shop.ending)).values()].filter((version) => version === 'v2');
    expect(onCanary.length).toBeGreaterThan(60);
    expect(await policiesOf(shop)).toEqual(['theirs']);
    // By nobody else it would have been written: no policy here is ours.
    expect(await sharedPolicies()).toContain(`sluice-${namespace}.shop`);
  });

  test('believes no header from outside, and gives a browser a unit of its own', async (context) => {
    const shop = await givenStickyShop(context, { steps: stepsOf(1, 100), replicas: 2 });
    await shop.push({ VERSION: 'v2' });
    const { status } = await weightReached(shop, 1);
    const people = await peopleOf(shop, 1);
    const hash = status.inFlight?.hash ?? '';
    const users = Array.from({ length: 10_000 }, (_, i) => `user-${i}`);
    const stranger = users.find((name) => !isAdmitted(shop, hash, name, 1)) as string;
    const admitted = users.find((name) => isAdmitted(shop, hash, name, 1)) as string;
    // Whoever had this header when the route is chosen would get the canary.
    expect(await revisionsMatched(shop)).toEqual([hash]);
    const all = forgedBy(hash, admitted);
    for (const forged of [...Object.entries(all).map(([name, value]) => ({ [name]: value })), all])
      for (let i = 0; i < 20; i++)
        expect(await people.ask({ 'x-user-id': stranger, ...forged }), JSON.stringify(forged)).toMatchObject({
          status: 200,
          version: 'v1',
        });
    const { setCookie } = await people.ask({ accept: 'text/html', 'sec-fetch-mode': 'navigate' });
    expect(setCookie.join()).toMatch(/^sluice-unit=[\w-]{22}; /);
    expect((await people.ask({ accept: 'application/json' })).setCookie).toEqual([]);
  });
});

/** What somebody would send who wants the canary of this revision, as a person who has it. */
const forgedBy = (hash: string, admitted: string): Record<string, string> => ({
  'x-sluice-variant': 'canary',
  'x-sluice-revision': hash,
  'x-sluice-unit': admitted,
});

/** Values of `x-sluice-revision` that rules of the route match on. */
async function revisionsMatched({ client, namespace, signal }: Shop): Promise<string[]> {
  const route = (await client.get(httpRoutes, { namespace, name: 'shop' }, { signal })) as unknown as HttpRoute;
  const headers = (route.spec.rules ?? []).flatMap(matchesOf).flatMap((match) => match.headers ?? []);
  return [...new Set(headers.filter(({ name }) => name === 'x-sluice-revision').map(({ value }) => value))];
}

/** What Sluice has written for stickiness outside the namespaces of shops. */
async function sharedPolicies(): Promise<string[]> {
  const kinds = 'clienttrafficpolicies,referencegrants';
  const ours = ['-l', 'app.kubernetes.io/managed-by=sluice', '-o', 'jsonpath={.items[*].metadata.name}'];
  return (await kubectl(['get', kinds, '-A', ...ours])).split(' ').filter((name) => name !== '');
}

/** Names of the SecurityPolicies in the namespace of a shop. */
async function policiesOf({ namespace }: Shop): Promise<string[]> {
  const names = await kubectl(['-n', namespace, 'get', 'securitypolicies', '-o', 'jsonpath={.items[*].metadata.name}']);
  return names.split(' ').filter((name) => name !== '');
}
