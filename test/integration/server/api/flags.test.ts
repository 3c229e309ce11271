import { KubeConfig } from '@kubernetes/client-node';
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../../../hack/cluster/wait.ts';
import { kubeConfig, makeNamespace } from '../../../support/api-server.ts';
import { accountWith, type RunningApi, startApi, WIDE } from '../../../support/api-service.ts';
import { FaultProxy } from '../../../support/fault-proxy.ts';
import { startFlagController } from '../../../support/flag-controller.ts';
import { flagObject } from '../../../support/flag-objects.ts';
import { loopbackCertificate, startFlagWebhook } from '../../../support/flag-webhook.ts';
import { installCrds } from '../../../support/install-crds.ts';
import { fullFlag, type Manifest } from '../../../support/manifests.ts';
import { apply, rawApi } from '../../../support/raw-api.ts';

// The API of a replica in front of a real API server. The replica's own kubeconfig is an administrator's, which must not help anybody.
const config = kubeConfig();
const signal = AbortSignal.timeout(600_000);
let namespace: string;
let flags: string;
let reader: string;
let editor: string;

beforeAll(() => installCrds(signal));
beforeEach(async () => {
  namespace = await makeNamespace('api');
  flags = `/api/v1/namespaces/${namespace}/flags`;
  [reader, editor] = await Promise.all([
    accountWith(namespace, 'reader', ['get', 'list']),
    accountWith(namespace, 'editor', ['get', 'list', 'create', 'patch']),
  ]);
});

const objectPath = (name: string) => `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/featureflags/${name}`;

async function put(name: string, spec: Manifest = {}, metadata: Manifest = {}): Promise<Manifest> {
  const { metadata: _, ...object } = flagObject(name, spec) as Manifest;
  const answer = await apply(config, objectPath(name), { ...object, metadata: { name, ...metadata } });
  expect(answer.status, answer.body.message).toBeLessThan(300);
  return answer.body;
}

const stored = async (name: string): Promise<Manifest> => (await rawApi(config, 'GET', objectPath(name))).body;
const { type, variants, offVariant, defaultVariant } = flagObject('any').spec as Manifest;
const plain = { type, variants, offVariant, defaultVariant };

test('without a token nothing leaves; with one that is not good, or not enough, the API server’s refusal is passed on', async () => {
  await put('checkout');
  const proxy = await FaultProxy.start(config);
  onTestFinished(() => proxy.stop());
  const alone = await startApi(proxy.config);
  const headers = { authorization: 'Basic YWRtaW46YWRtaW4=' };
  for (const asked of [{}, { headers }, { token: 'x'.repeat(16_385) }, { token: 'with space' }]) {
    const { status, headers, body } = await alone.ask('GET', flags, asked);
    expect([status, headers['www-authenticate'], body.code]).toEqual([401, 'Bearer', 'SLUICE_API_TOKEN']);
  }
  expect(proxy.seen).toEqual([]);

  const api = await startApi();
  for (const token of ['invented', 'a.b.c', `${editor}x`]) {
    const { status, body } = await api.ask('GET', flags, { token });
    expect([status, body.code]).toEqual([401, 'SLUICE_API_TOKEN']);
  }
  const foreign = await makeNamespace('foreign');
  for (const path of ['/api/v1/flags', `/api/v1/namespaces/${foreign}/flags`]) {
    const { status, body } = await api.ask('GET', path, { token: editor });
    expect([status, body.code, body.message]).toEqual([403, 'SLUICE_KUBE_DENIED', expect.stringContaining(':editor"')]);
  }
  const { status, body } = await api.ask('GET', `${flags}/checkout`, { token: reader });
  expect([status, body.key]).toEqual([200, 'checkout']);
  const change = { token: reader, body: { spec: { killSwitch: true } } };
  expect(await api.ask('PATCH', `${flags}/checkout`, change)).toMatchObject({
    status: 403,
    body: { code: 'SLUICE_KUBE_DENIED', message: expect.stringContaining(':reader" cannot patch') },
  });
  expect((await stored('checkout')).spec.killSwitch).toBe(false);
  const made = await api.ask('POST', flags, { token: reader, body: { name: 'mine', spec: plain } });
  expect(made.status).toBe(403);
});

test('whatever credentials the replica has, only the caller’s reach the API server', async () => {
  await put('checkout');
  const proxy = await FaultProxy.start(config);
  onTestFinished(() => proxy.stop());
  const own = new KubeConfig();
  const cluster = proxy.config.getCurrentCluster()!;
  own.loadFromClusterAndUser(cluster, {
    name: 'operator',
    token: 'of-the-operator',
    impersonateUser: 'admin',
  } as never);
  const api = await startApi(own);
  await api.ask('GET', `${flags}/checkout`, { token: editor, headers: { 'impersonate-user': 'admin' } });
  proxy.fault = () => ({ answer: 401 });
  expect((await api.ask('GET', `${flags}/checkout`, { token: 'another' })).status).toBe(401);
  // A token that is refused is not tried again, neither it nor another.
  expect(proxy.seen.map(({ authorization }) => authorization)).toEqual([
    ...proxy.seen.slice(0, -1).map(() => `Bearer ${editor}`),
    'Bearer another',
  ]);

  // And over TLS: a client certificate that the replica has is not shown.
  const { status, body } = await (await startApi(config)).ask('GET', '/api/v1/flags', { token: 'invented' });
  expect([status, body.code]).toEqual([401, 'SLUICE_API_TOKEN']);
});

test('a change is the caller’s: it is stamped with their name, and told in the log without their token', async () => {
  const controller = await startFlagController(namespace, [namespace]);
  await startFlagWebhook(controller, namespace, signal);
  const api = await startApi();
  const user = `system:serviceaccount:${namespace}:editor`;
  const { key: _, prerequisites: __, ...spec } = fullFlag().spec;
  const body = { name: 'checkout', spec: { ...spec, key: 'checkout/one page' } };
  const made = await api.ask('POST', flags, { token: editor, body });
  expect(made).toMatchObject({ status: 201, headers: { location: `${flags}/checkout%2Fone%20page` } });
  const at = String(made.headers.location);
  const headers = { 'x-request-id': 'change-17' };
  const killed = await api.ask('PATCH', at, { token: editor, headers, body: { spec: { killSwitch: true } } });
  expect(killed).toMatchObject({
    status: 200,
    headers: { 'x-request-id': 'change-17' },
    body: { spec: { killSwitch: true } },
  });
  const history = async () => (await api.ask('GET', `${at}/history`, { token: reader })).body.items;
  const isKnown = async () => (await history()).length === 2;
  await waitFor(isKnown, { what: 'two revisions', timeoutMs: 20_000, everyMs: 50, signal });
  expect(await history()).toMatchObject([
    { revision: 2, author: user, accepted: true, spec: { killSwitch: true } },
    { revision: 1, author: user, accepted: true, spec: { killSwitch: false } },
  ]);
  await api.ask('PATCH', at, { token: editor, body: { spec: { killSwitch: true } } });
  const told = api.lines.filter(({ level }) => level === 'info');
  expect(told).toMatchObject([
    { operation: 'createFlag', status: 201, name: 'checkout', changed: true, generation: 1, by: user },
    { operation: 'changeFlag', requestId: 'change-17', key: 'checkout/one page', status: 200, changed: true, by: user },
    { operation: 'changeFlag', status: 200, changed: false },
  ]);
  expect(told[2]).not.toHaveProperty('by');
  expect(JSON.stringify(api.lines)).not.toContain(editor.split('.')[2]);

  // Only the kill switch was turned: there is nothing to go back to but by its number.
  const nothing = await api.ask('POST', `${at}/rollback`, { token: editor });
  expect(nothing).toMatchObject({ status: 422, body: { code: 'SLUICE_API_NO_REVISION' } });
  const back = await api.ask('POST', `${at}/rollback`, { token: editor, body: { revision: 1 } });
  expect(back).toMatchObject({ status: 200, body: { spec: { killSwitch: false } } });
  const forth = await api.ask('POST', `${at}/rollback`, { token: editor, body: { revision: 2 } });
  expect(forth).toMatchObject({ status: 200, body: { spec: { killSwitch: true } } });
  const nowhere = await api.ask('POST', `${at}/rollback`, { token: editor, body: { revision: 99 } });
  expect(nowhere).toMatchObject({ status: 422, body: { code: 'SLUICE_API_NO_REVISION' } });
  const denied = await api.ask('POST', `${at}/rollback`, { token: reader, body: { revision: 1 } });
  expect(denied.status).toBe(403);
  // The webhook speaks to the caller, too.
  const wrong = await api.ask('PATCH', at, { token: editor, body: { spec: { defaultVariant: 'of' } } });
  expect(wrong).toMatchObject({ status: 422, body: { message: expect.stringContaining('spec.defaultVariant') } });
}, 120_000);

test('ETags: what is known is not sent again, and a change bound to a version needs that version', async () => {
  await put('checkout');
  const api = await startApi();
  const at = `${flags}/checkout`;
  const first = await api.ask('GET', at, { token: editor });
  const etag = String(first.headers.etag);
  expect(first.body.etag).toBe(etag);
  const known = { token: editor, headers: { 'if-none-match': `"other", W/${etag}` } };
  expect(await api.ask('GET', at, known)).toMatchObject({ status: 304, headers: { etag }, body: undefined });
  expect((await api.ask('GET', `${at}/history`, known)).status).toBe(304);
  const list = await api.ask('GET', flags, { token: editor });
  const again = { token: editor, headers: { 'if-none-match': String(list.headers.etag) } };
  expect((await api.ask('GET', flags, again)).status).toBe(304);

  const bound = (tag: string, spec: Manifest) => ({ token: editor, headers: { 'if-match': tag }, body: { spec } });
  const changed = await api.ask('PATCH', at, bound(etag, { enabled: false }));
  expect(changed).toMatchObject({ status: 200, body: { spec: { enabled: false } } });
  for (const tag of [etag, `W/${changed.headers.etag}`, '"1"']) {
    expect(await api.ask('PATCH', at, bound(tag, { enabled: true }))).toMatchObject({
      status: 412,
      body: { code: 'SLUICE_API_PRECONDITION' },
    });
  }
  expect((await api.ask('GET', at, known)).status).toBe(200);
  expect((await api.ask('GET', flags, again)).status).toBe(200);
  expect((await api.ask('PATCH', at, bound('*', { enabled: true }))).status).toBe(200);
  const back = { token: editor, headers: { 'if-match': etag } };
  expect((await api.ask('POST', `${at}/rollback`, back)).status).toBe(412);
});

test('a change that loses a race between look and write is refused where it was bound to a version, and made where it was not', async () => {
  await put('checkout');
  const proxy = await FaultProxy.start(config);
  onTestFinished(() => proxy.stop());
  const api = await startApi(proxy.config);
  const at = `${flags}/checkout`;
  /** Somebody else writes after the look, before the API server takes the write. */
  const race = async (owner: string, headers: Record<string, string>) => {
    let isOver = false;
    proxy.seen.length = 0;
    proxy.fault = ({ method }) => (method === 'PATCH' && !isOver ? { answer: 503 } : undefined);
    const answer = api.ask('PATCH', at, { token: editor, headers, body: { spec: { killSwitch: true } } });
    const isSent = async () => proxy.seen.some(({ method }) => method === 'PATCH');
    await waitFor(isSent, { what: 'the write', timeoutMs: 10_000, everyMs: 5, signal });
    await put('checkout', { owner });
    isOver = true;
    return answer;
  };
  const { headers } = await api.ask('GET', at, { token: editor });
  expect(await race('one', { 'if-match': String(headers.etag) })).toMatchObject({
    status: 412,
    body: { code: 'SLUICE_API_PRECONDITION' },
  });
  expect(await race('two', {})).toMatchObject({ status: 200, body: { spec: { killSwitch: true, owner: 'two' } } });
  // The object itself has gone and come back: nobody meant this one.
  const replaced = { answer: 409, body: { kind: 'Status', code: 409, reason: 'Conflict', message: 'changed' } };
  proxy.fault = ({ method }) => (method === 'PATCH' ? replaced : undefined);
  const again = { token: editor, body: { spec: { killSwitch: false } } };
  expect(await api.ask('PATCH', at, again)).toMatchObject({ status: 409, body: { code: 'SLUICE_KUBE_CONFLICT' } });
});

test('lists come in pages, by name', async () => {
  for (const name of ['c', 'a', 'b']) await put(name);
  const api = await startApi();
  const keys: string[][] = [];
  let next = '';
  do {
    const { status, body } = await api.ask('GET', `${flags}?limit=2${next}`, { token: reader });
    expect(status).toBe(200);
    keys.push(body.items.map(({ key }: Manifest) => key));
    next = body.continue ? `&continue=${encodeURIComponent(body.continue)}` : '';
  } while (next);
  expect(keys).toEqual([['a', 'b'], ['c']]);
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const rules = [{ apiGroups: ['sluice.dev'], resources: ['featureflags'], verbs: ['list'] }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: namespace };
  const subjects = [{ kind: 'ServiceAccount', name: 'reader', namespace }];
  const metadata = { name: namespace };
  await rawApi(config, 'POST', `${rbac}/clusterroles`, { body: { metadata, rules } });
  await rawApi(config, 'POST', `${rbac}/clusterrolebindings`, { body: { metadata, roleRef, subjects } });
  const all = () => api.ask('GET', '/api/v1/flags?limit=2', { token: reader });
  await waitFor(async () => (await all()).status === 200, {
    what: 'the right',
    timeoutMs: 20_000,
    everyMs: 50,
    signal,
  });
  expect((await all()).body.items).toHaveLength(2);
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'limit=1&limit=2', 'limt=2', 'continue=']) {
    const { status, body } = await api.ask('GET', `${flags}?${query}`, { token: reader });
    expect([query, status, body.code]).toEqual([query, 400, 'SLUICE_API_REQUEST']);
  }
  expect((await api.ask('GET', `${flags}?continue=invented`, { token: reader })).status).toBe(400);
});

test('a flag is found by its key, of two the older, and the other one by its name', async () => {
  const key = 'team/checkout ü';
  const twins = [await put('one', { key }), await put('two', { key })];
  const ageOf = ({ metadata }: Manifest) => `${metadata.creationTimestamp} ${metadata.uid}`;
  const [older, younger] = twins.sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1)).map(({ metadata }) => metadata.name);
  const api = await startApi();
  const nameOf = async (asked: string) =>
    (await api.ask('GET', `${flags}/${encodeURIComponent(asked)}`, { token: reader })).body.name;
  expect(await nameOf(key)).toBe(older);
  expect(await nameOf(younger)).toBe(younger);
  expect(await api.ask('GET', `${flags}/none`, { token: reader })).toMatchObject({
    status: 404,
    body: { code: 'SLUICE_API_NO_FLAG' },
  });
  // Nothing that a path could be made of gets into one.
  for (const key of ['../../../configmaps', '/..', '%2e%2e', 'a?b', 'a#b'])
    expect((await api.ask('GET', `${flags}/${encodeURIComponent(key)}`, { token: reader })).status).toBe(404);
  for (const path of [
    `${flags}/%00`,
    `${flags}/%zz`,
    '/api/v1/namespaces/Shop/flags',
    '/api/v1/namespaces/a%2Fb/flags',
  ])
    expect((await api.ask('GET', path, { token: reader })).status).toBe(400);
});

test('what does not fit is told field by field, and nothing is written', async () => {
  const api = await startApi();
  const post = async (body: unknown, headers = {}) => api.ask('POST', flags, { token: editor, body, headers });
  expect(await post({ name: 'checkout', spec: { ...plain, defaultVariant: 'of', extra: 1 } })).toMatchObject({
    status: 422,
    body: { code: 'SLUICE_API_REQUEST', problems: [{ path: 'spec.extra', message: expect.any(String) }] },
  });
  for (const body of [
    {},
    [],
    { name: 'Checkout', spec: plain },
    { name: 'a', spec: { ...plain, key: 'rollout/x' } },
    null,
  ])
    expect((await post(body)).status).toBe(422);
  expect((await post('{"name":')).status).toBe(400);
  expect((await post('{"name":"a","__proto__":{}}')).status).toBe(400);
  expect((await post(`${'['.repeat(70)}${']'.repeat(70)}`)).status).toBe(400);
  expect((await post({ name: 'a', spec: plain }, { 'content-type': 'text/plain' })).status).toBe(415);
  expect((await post(' '.repeat(1_048_577))).status).toBe(413);
  expect((await post({ name: 'a', spec: { ...plain, description: 'x'.repeat(300_000) } })).status).toBe(422);
  expect((await rawApi(config, 'GET', objectPath(''))).body.items).toEqual([]);

  expect((await post({ name: 'checkout', spec: plain })).status).toBe(201);
  expect(await post({ name: 'checkout', spec: plain })).toMatchObject({
    status: 409,
    body: { code: 'SLUICE_KUBE_CONFLICT' },
  });
  const change = (spec: unknown) => api.ask('PATCH', `${flags}/checkout`, { token: editor, body: { spec } });
  for (const spec of [{ enabled: 'no' }, { extra: 1 }, { key: 'other' }, { offVariant: null }, 7])
    expect((await change(spec)).status).toBe(422);
  // What is merged by name is not looked at here, but by the API server, which must not drop a misspelt field.
  const misspelt = await change({ segments: { staff: { attr: 'email', op: 'exists', vlaue: 'x' } } });
  expect([misspelt.status, misspelt.body.message]).toEqual([422, expect.stringContaining('vlaue')]);
  expect(
    (await change({ rules: [{ id: 'a', serve: { variant: 'on' } }], owner: 'team', variants: { third: true } })).status,
  ).toBe(200);
  const { body } = await change({ rules: null, owner: null, variants: { third: null } });
  expect(body.spec).toMatchObject({ rules: [], variants: { on: true, off: false } });
  expect(body.spec).not.toHaveProperty('owner');
  const other = { token: editor, headers: { 'content-type': 'application/json' }, body: { spec: {} } };
  expect((await api.ask('PATCH', `${flags}/checkout`, other)).status).toBe(415);
});

test('paths and methods that are not there are told so, the document is there for everybody, and who applies a flag is named', async () => {
  const api = await startApi();
  const { status, body, headers } = await api.ask('GET', '/api/v1/openapi.json');
  expect([status, body.openapi, Object.keys(body.paths)]).toEqual([
    200,
    '3.1.0',
    expect.arrayContaining(['/api/v1/flags']),
  ]);
  expect(headers['content-type']).toMatch(/^application\/json/);
  expect((await api.ask('GET', '/api/v1/other', { token: reader })).status).toBe(404);
  const { status: refused, headers: said } = await api.ask('DELETE', `${flags}/x`, { token: editor });
  expect([refused, said.allow]).toEqual([405, 'GET, HEAD, PATCH']);
  expect((await api.ask('HEAD', flags, { token: reader })).status).toBe(200);

  await put('checkout', {}, { labels: { 'kustomize.toolkit.fluxcd.io/name': 'shop' } });
  expect((await api.ask('GET', `${flags}/checkout`, { token: reader })).body.appliedBy).toBe('Flux');
});

test('a caller who asks too often waits, others do not; and only so many are answered at a time', async () => {
  await put('checkout');
  const rates = { perSecond: 0.5, burst: 3, callers: 10 };
  const api = await startApi(config, { ...WIDE, rates });
  const ask = async (token: string) => api.ask('GET', `${flags}/checkout`, { token });
  for (let i = 0; i < 3; i++) expect((await ask(reader)).status).toBe(200);
  const refused = await ask(reader);
  expect(refused).toMatchObject({ status: 429, body: { code: 'SLUICE_API_OVERLOADED' } });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect((await ask(editor)).status).toBe(200);

  const proxy = await FaultProxy.start(config);
  onTestFinished(() => proxy.stop());
  proxy.fault = () => ({ hang: true });
  const narrow = await startApi(proxy.config, { ...WIDE, calls: 1 });
  const waiting = narrow.ask('GET', flags, { token: reader }).catch(() => undefined);
  await waitFor(async () => proxy.seen.length === 1, {
    what: 'the first call',
    timeoutMs: 10_000,
    everyMs: 10,
    signal,
  });
  expect((await narrow.ask('GET', flags, { token: editor })).status).toBe(429);
  proxy.dropAll();
  proxy.fault = () => undefined;
  await waiting;
  expect((await narrow.ask('GET', flags, { token: editor })).status).toBe(200);
});

test('an API server that fails is told as such: 502, 503 with when to come again', async () => {
  const proxy = await FaultProxy.start(config);
  onTestFinished(() => proxy.stop());
  const api: RunningApi = await startApi(proxy.config);
  const ask = () => api.ask('POST', flags, { token: editor, body: { name: 'checkout', spec: plain } });
  proxy.fault = () => ({ answer: 500 });
  expect(await ask()).toMatchObject({ status: 502, body: { code: 'SLUICE_KUBE_UNAVAILABLE' } });
  proxy.fault = () => ({ answer: 503 });
  expect(await ask()).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  proxy.fault = () => ({ reset: 'before' });
  expect((await ask()).status).toBe(502);
  expect(api.lines.filter(({ level }) => level === 'warn')).toHaveLength(3);
});

test('another certificate is served from the next connection on', async () => {
  const api = await startApi();
  const { ca: _, ...pair } = loopbackCertificate();
  api.service.reload(pair);
  await expect(api.ask('GET', flags, { token: reader })).rejects.toThrow(/certificate/);
});
