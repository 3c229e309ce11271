import { expect, test } from 'vitest';
import type { Flag } from '../../../src/wire/flag.ts';
import { type EnvoyOptions, type RunningEnvoy, startEnvoy } from '../../support/envoy.ts';
import { EXTENSIONS, type GatewayEvaluator, gatewayWith } from '../../support/gateway.ts';
import { rolloutFlag } from '../../support/rollout-flags.ts';
import { until } from '../../support/sidecar.ts';

const FLAG = 'rollout/shop/web';
const FORGED = { 'x-sluice-variant': 'canary', 'x-sluice-unit': 'somebody-else', 'x-sluice-revision': '7f' };
const FAILED_OPEN = /^envoy_http_ext_authz_failure_mode_allowed\{.*\} [1-9]/m;

interface Edge extends GatewayEvaluator {
  readonly envoy: RunningEnvoy;
}

const edgeAt = (percent: number, how: Partial<EnvoyOptions> = {}): Promise<Edge> => edgeWith(rolloutFlag(percent), how);

async function edgeWith(flag: Flag, how: Partial<EnvoyOptions> = {}): Promise<Edge> {
  const evaluator = await gatewayWith({ [FLAG]: flag });
  const options = { extAuthzPorts: [evaluator.port], contextExtensions: EXTENSIONS, removesForged: true, ...how };
  return { ...evaluator, envoy: await startEnvoy(options) };
}

/** Which users the canary answers, and that each application is told the same. */
async function canaryUsers({ envoy }: Edge, count: number): Promise<Set<number>> {
  const found = new Set<number>();
  for (let user = 0; user < count; user++) {
    const { status, from, headers } = await envoy.get({ 'x-user-id': `user-${user}`, ...FORGED });
    const told = [status, headers['x-sluice-variant'], headers['x-sluice-unit']];
    expect(told).toEqual([200, from, `user-${user}`]);
    if (from === 'canary') found.add(user);
  }
  return found;
}

test('users stay where they are by their header, and only join as the weight grows', async () => {
  const edge = await edgeAt(25);
  const before = await canaryUsers(edge, 200);
  expect(before.size).toBeGreaterThan(30);
  expect(before.size).toBeLessThan(70);
  expect(await canaryUsers(edge, 200)).toEqual(before);
  edge.mount({ [FLAG]: rolloutFlag(60) }, 2);
  await edge.sidecar.logged('"revision":2');
  const after = await canaryUsers(edge, 200);
  expect(after.size).toBeGreaterThan(before.size);
  expect([...before].filter((user) => !after.has(user))).toEqual([]);
  expect(await edge.envoy.prometheus()).not.toMatch(FAILED_OPEN);
});

test('a browser is given one cookie beside those of the application, and stays where its first page came from', async () => {
  const { envoy } = await edgeAt(50);
  const seen = new Set<string>();
  for (let browser = 0; browser < 20; browser++) {
    const page = await envoy.get({ 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' });
    const [unit, session, theme] = [...page.setCookies].sort((one) => (one.startsWith('sluice-unit=') ? -1 : 1));
    expect(unit).toMatch(/^sluice-unit=[\w-]{22}; Max-Age=31536000; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
    expect([session, theme]).toEqual(['session=1', 'theme=dark']);
    const [cookie = ''] = unit?.split(';') ?? [];
    expect(page.headers['x-sluice-unit']).toBe(cookie.slice('sluice-unit='.length));
    const fetched = await envoy.get({ 'sec-fetch-mode': 'cors', cookie: `other=1; ${cookie}` });
    expect(fetched.from).toBe(page.from);
    expect(fetched.headers['x-sluice-unit']).toBe(page.headers['x-sluice-unit']);
    expect(fetched.setCookies).toEqual(['session=1', 'theme=dark']);
    seen.add(page.from);
  }
  expect(seen).toEqual(new Set(['stable', 'canary']));
});

test('what fetches without a unit goes to stable and gets no cookie', async () => {
  const { envoy } = await edgeAt(100);
  for (const headers of [{}, { 'sec-fetch-mode': 'cors' }, { accept: 'application/json' }]) {
    const { from, headers: got, setCookies } = await envoy.get(headers);
    expect([from, got['x-sluice-variant'], got['x-sluice-unit'], setCookies.length]).toEqual([
      'stable',
      'stable',
      undefined,
      2,
    ]);
  }
});

test.each([true, false])('forged headers never reach an application (removed early: %s)', async (removesForged) => {
  const { envoy } = await edgeAt(0, { removesForged });
  const anonymous = await envoy.get(FORGED);
  expect(anonymous.from).toBe('stable');
  expect(anonymous.headers['x-sluice-variant']).toBe('stable');
  expect(anonymous.headers).not.toHaveProperty('x-sluice-unit');
  expect(anonymous.headers).not.toHaveProperty('x-sluice-revision');
  const user = await envoy.get({ ...FORGED, 'X-User-Id': 'u', 'X-Sluice-Unit': 'v' });
  expect([user.from, user.headers['x-sluice-variant'], user.headers['x-sluice-unit']]).toEqual([
    'stable',
    'stable',
    'u',
  ]);
});

test('an evaluator that is behind sends nobody to the canary of another revision', async () => {
  const { rules = [], ...flag } = rolloutFlag(100);
  const { envoy } = await edgeWith({ ...flag, rules: rules.map((rule) => ({ ...rule, id: '6e' })) });
  const { from, headers } = await envoy.get({ 'x-user-id': 'u' });
  expect([from, headers['x-sluice-variant'], headers['x-sluice-revision']]).toEqual(['stable', 'canary', '6e']);
});

test('killed, it is passed by: everybody goes to stable, nobody gets an error, forged headers stay out, and Envoy counts it', async () => {
  const { envoy, sidecar } = await edgeAt(100);
  expect((await envoy.get({ 'x-user-id': 'u' })).from).toBe('canary');
  await sidecar.stop('SIGKILL');
  for (let count = 0; count < 50; count++) {
    const { status, from, headers } = await envoy.get({ 'x-user-id': 'u', ...FORGED });
    expect([status, from]).toEqual([200, 'stable']);
    expect(headers).not.toHaveProperty('x-sluice-unit');
    expect(headers).not.toHaveProperty('x-sluice-variant');
  }
  // docs/sticky-rollouts.md asks Prometheus for this one.
  const counted = 'envoy_cluster_ext_authz_failure_mode_allowed{envoy_cluster_name="stable"} 50';
  expect((await envoy.prometheus()).split('\n')).toContain(counted);
});

test('stopped while requests come, it ends in order and no request fails', async () => {
  const { envoy, sidecar } = await edgeAt(100);
  let isOver = false;
  const outcomes = new Map<string, number>();
  const load = Array.from({ length: 8 }, async (_, worker) => {
    while (!isOver) {
      const { status, from } = await envoy.get({ 'x-user-id': `user-${worker}` });
      outcomes.set(`${status} ${from}`, (outcomes.get(`${status} ${from}`) ?? 0) + 1);
    }
  });
  await until(() => (outcomes.get('200 canary') ?? 0) > 100);
  expect(await sidecar.stop('SIGTERM')).toBe(0);
  await until(() => (outcomes.get('200 stable') ?? 0) > 100);
  isOver = true;
  await Promise.all(load);
  expect([...outcomes.keys()].sort()).toEqual(['200 canary', '200 stable']);
});

test('with a second evaluator and passive health checks, a dead one is soon asked no more', async () => {
  const first = await gatewayWith({ [FLAG]: rolloutFlag(100) });
  const second = await gatewayWith({ [FLAG]: rolloutFlag(100) });
  const extAuthzPorts = [first.port, second.port];
  const envoy = await startEnvoy({ extAuthzPorts, contextExtensions: EXTENSIONS, removesForged: true });
  await envoy.get({ 'x-user-id': 'u' });
  await first.sidecar.stop('SIGKILL');
  let stable = 0;
  // With half of the requests going to the dead one, 50 in a row would never come.
  for (let inRow = 0; inRow < 50; inRow++) {
    const { status, from } = await envoy.get({ 'x-user-id': 'u' });
    expect(status).toBe(200);
    if (from === 'canary') continue;
    inRow = -1;
    stable++;
  }
  expect(stable).toBeLessThanOrEqual(2);
});

test.each([
  ['a cookie of 50,000 characters', { cookie: `a=${'x'.repeat(50_000)}` }],
  ['10,000 cookies', { cookie: 'a=b; '.repeat(10_000) }],
  ['a unit that not every server would read alike', { 'x-user-id': 'Zo\xc3\xab', cookie: 'sluice-unit=\xe4\xf6' }],
  ['90 headers', Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`x-${index}`, 'y'.repeat(500)]))],
])('%s only lead to stable', async (_, headers) => {
  const { envoy } = await edgeAt(100);
  const { status, from, headers: got } = await envoy.get(headers);
  expect([status, from]).toEqual([200, 'stable']);
  expect(got).not.toHaveProperty('x-sluice-unit');
  expect(await envoy.prometheus()).not.toMatch(FAILED_OPEN);
});
