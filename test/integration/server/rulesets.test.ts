import { Agent, request } from 'undici';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { Secret } from '../../../src/base/secret.ts';
import { RulesetService } from '../../../src/server/ruleset-service.ts';
import { tokenReviewer } from '../../../src/server/token-reviewer.ts';
import { kubeConfig, makeNamespace } from '../../support/api-server.ts';
import { startFlagController } from '../../support/flag-controller.ts';
import { flagObject } from '../../support/flag-objects.ts';
import { find, render } from '../../support/helm.ts';
import { installCrds } from '../../support/install-crds.ts';
import { makeClient } from '../../support/kube-client.ts';
import type { Manifest } from '../../support/manifests.ts';
import { apply, rawApi } from '../../support/raw-api.ts';
import { issueTls, startEvaluator, TestOperator, until } from '../../support/stream.ts';

const signal = () => AbortSignal.timeout(20_000);

let shop: string;
let edge: string;

beforeAll(async () => {
  await installCrds(AbortSignal.timeout(60_000));
});

beforeEach(async () => {
  [shop, edge] = await Promise.all([makeNamespace('shop'), makeNamespace('edge')]);
});

async function api(method: string, path: string, body?: Manifest): Promise<Manifest> {
  const answer = await rawApi(kubeConfig(), method, path, body ? { body } : {});
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.body.message}`);
  return answer.body;
}

async function tokenOf(namespace: string, spec: Manifest = { audiences: ['sluice'] }): Promise<Secret> {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await api('POST', accounts, { metadata: { name: 'web' } }).catch(() => {}); // it is there
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  return new Secret((await api('POST', `${accounts}/web/token`, request)).status.token);
}

test('the API server vouches for tokens that are made for sluice, and tells account and pod', async () => {
  const reviewer = tokenReviewer(makeClient());
  const identity = await reviewer.identify(await tokenOf(shop), signal());
  expect(identity).toMatchObject({ user: `system:serviceaccount:${shop}:web`, home: shop, pod: undefined });
  const lifetimeMs = identity!.expiresAt - Date.now();
  expect(lifetimeMs).toBeGreaterThan(3_000_000);
  expect(lifetimeMs).toBeLessThan(3_700_000);

  const container = { name: 'web', image: 'web' };
  const pod = { metadata: { name: 'web-1' }, spec: { serviceAccountName: 'web', containers: [container] } };
  const { metadata } = await api('POST', `/api/v1/namespaces/${shop}/pods`, pod);
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'web-1', uid: metadata.uid };
  const bound = await tokenOf(shop, { audiences: ['sluice'], boundObjectRef });
  expect(await reviewer.identify(bound, signal())).toMatchObject({ home: shop, pod: 'web-1' });
  await api('DELETE', `/api/v1/namespaces/${shop}/pods/web-1?gracePeriodSeconds=0`);
  // The API server itself keeps what it found for 10 s.
  await until('the end of the token', async () => (await reviewer.identify(bound, signal())) === undefined);
});

test('tokens for anything else, changed or invented ones are good for nothing', async () => {
  const reviewer = tokenReviewer(makeClient());
  const good = (await tokenOf(shop)).reveal();
  const [head = '', claims = '', mark = ''] = good.split('.');
  const forged = JSON.parse(Buffer.from(claims, 'base64url').toString());
  forged.sub = `system:serviceaccount:${edge}:web`;
  const changed = `${head}.${Buffer.from(JSON.stringify(forged)).toString('base64url')}.${mark}`;
  const others = [(await tokenOf(shop, {})).reveal(), (await tokenOf(shop, { audiences: ['vault'] })).reveal()];
  for (const token of [...others, changed, 'a.b.c', 'x'])
    expect(await reviewer.identify(new Secret(token), signal())).toBeUndefined();
});

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** A role with the rules of one of the chart's, under a name of its own. */
async function chartRole(of: string, name: string): Promise<Manifest> {
  const { rules } = find(await render('', AbortSignal.timeout(600_000)), 'ClusterRole', of);
  await api('POST', `${RBAC}/clusterroles`, { metadata: { name }, rules });
  return { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
}

test('the rights that the chart gives the operator are enough for both reviews', async () => {
  const roleRef = await chartRole('sluice-operator', `operator-${shop}`);
  const user = `operator-of-${shop}`;
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }];
  await api('POST', `${RBAC}/clusterrolebindings`, { metadata: { name: user }, roleRef, subjects });
  const headers = { 'impersonate-user': user };
  const token = await tokenOf(shop);
  const client = {
    raw: async ({ path, body }: { path: string; body?: Manifest }) => {
      const answer = await rawApi(kubeConfig(), 'POST', path, { body, headers });
      return answer.body;
    },
  };
  const reviewer = tokenReviewer(client);
  const identify = async () => reviewer.identify(token, signal()).catch(() => undefined); // until the binding is in force
  await until('the right', async () => (await identify()) !== undefined);
  expect(await reviewer.mayRead((await identify())!, edge, signal())).toBe(false);
});

test('another namespace is open to who is bound to the role for it there', async () => {
  const reviewer = tokenReviewer(makeClient());
  const identity = (await reviewer.identify(await tokenOf(edge), signal()))!;
  expect(await reviewer.mayRead(identity, shop, signal())).toBe(false);
  const roleRef = await chartRole('sluice-ruleset-reader', `reader-${shop}`);
  const subjects = [{ kind: 'ServiceAccount', name: 'web', namespace: edge }];
  const binding = { metadata: { name: 'evaluator', namespace: shop }, roleRef, subjects };
  await api('POST', `${RBAC}/namespaces/${shop}/rolebindings`, binding);
  await until('the right', () => reviewer.mayRead(identity, shop, signal()));
  expect(await reviewer.mayRead(identity, edge, signal())).toBe(false);
});

test('the service of a replica streams by TLS while it leads, to bearers of tokens of the API server', async () => {
  const service = new RulesetService({ client: makeClient(), clock: systemClock, logger: silent });
  const [first, second] = [issueTls(), issueTls()];
  const port = await service.start({ host: '127.0.0.1', port: 0 }, first);
  try {
    const token = (await tokenOf(shop)).reveal();
    const ask = async (flagSet: string, bearer: string, { ca } = first, end = new AbortController()) => {
      const dispatcher = new Agent({ connect: { ca } });
      const headers = { authorization: `Bearer ${bearer}` };
      const url = `https://127.0.0.1:${port}/rulesets/${flagSet}?subscriber=web-1`;
      return (await request(url, { headers, dispatcher, signal: end.signal })).statusCode;
    };
    expect(await ask(shop, token)).toBe(503);
    service.lead(() => {});
    expect(await ask(shop, token)).toBe(200);
    expect(service.subscribers).toBe(1);
    expect(await ask(edge, token)).toBe(403);
    expect(await ask(shop, 'a.b.c')).toBe(401);
    service.reload(second);
    expect(service.subscribers).toBe(1);
    await expect(ask(shop, token)).rejects.toThrow('certificate');
    expect(await ask(shop, token, second)).toBe(200);
    service.follow();
    expect(await ask(shop, token, second)).toBe(503);
  } finally {
    await service.stop();
  }
});

test('a flag that is applied reaches an evaluator, and its status says how far it has come and when it was asked for', async () => {
  const home = await makeNamespace('home');
  const operator = new TestOperator();
  await operator.start();
  const controller = await startFlagController(home, [shop]);
  operator.hub = controller.hub;
  const path = `/apis/sluice.dev/v1alpha1/namespaces/${shop}/featureflags/checkout`;
  const put = (spec: Manifest) => {
    const { metadata: _, ...object } = flagObject('checkout', spec);
    return apply(kubeConfig(), path, { ...object, metadata: { name: 'checkout' } });
  };
  await put({ defaultVariant: 'on' });
  const identity = operator.tokens.get('good')!;
  operator.tokens.set('good', { ...identity, home: shop });
  const evaluator = await startEvaluator(operator.address, { flagSetId: shop });
  await until('the ruleset', () => evaluator.running()?.revision === 1);
  evaluator.evaluated.add('checkout');
  await put({ defaultVariant: 'off' });
  let status: Manifest = {};
  await until('the status', async () => {
    await controller.hubClock.advance(10_000);
    status = (await api('GET', path)).status ?? {};
    return status.propagation?.desired === 2 && status.propagation.acknowledged === 1 && status.lastEvaluated;
  });
  const seen = { p99Seconds: expect.any(Number), since: expect.any(String) };
  expect(status.propagation).toEqual({ desired: 2, acknowledged: 1, total: 1, ...seen });
  expect(evaluator.running()?.revision).toBe(2);

  // Another leader begins with what stands, and the evaluator is told that it has the newest.
  operator.hub = undefined;
  await controller.stop();
  const next = await startFlagController(home, [shop]);
  const before = evaluator.news.length;
  operator.hub = next.hub;
  await until('the confirmation', () => evaluator.news.slice(before).some(({ kind }) => kind === 'Confirmed'));
  expect(evaluator.news.slice(before).some(({ kind }) => kind === 'Ruleset')).toBe(false);
  await put({ defaultVariant: 'on' });
  await until('the next revision', () => evaluator.running()?.revision === 3);
});
