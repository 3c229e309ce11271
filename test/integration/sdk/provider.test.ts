import { ProviderEvents, ProviderStatus } from '@openfeature/server-sdk';
import { expect, onTestFinished, test } from 'vitest';
import { SluiceError } from '../../../src/base/errors.ts';
import { SluiceProvider } from '../../../src/sdk/provider/sluice-provider.ts';
import type { Ruleset } from '../../../src/wire/ruleset.ts';
import { signingKey, startBundleServer } from '../../support/bundle-server.ts';
import { json } from '../../support/hostile-server.ts';
import { providerClient } from '../../support/provider-client.ts';
import { flagWith, rulesetWith } from '../../support/ruleset.ts';
import { until } from '../../support/sidecar.ts';

/** Serves `a` as on, or as off, in a revision; later ones were issued later. */
function revision(number: number, defaultVariant = 'on', more: Partial<Ruleset> = {}): Ruleset {
  const issuedAt = new Date(Date.UTC(2026, 10, 21, 8, number)).toISOString();
  return { ...rulesetWith({ a: flagWith({ defaultVariant }) }), revision: number, issuedAt, ...more };
}

const FAST = { pollMs: 20, staleAfterMs: 60_000 };
const { Ready, Error: Failed, Stale, ConfigurationChanged } = ProviderEvents;

test('a ruleset that one of the keys signed is used, whatever other keys there are', async () => {
  const [{ key, publicKey }, other] = [signingKey(), signingKey()];
  const server = await startBundleServer();
  server.serve(revision(7), key);
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const { client, initialised } = providerClient({
    ...FAST,
    url: `${server.url}/`,
    publicKeys: [other.publicKey, pem],
  });
  expect(await initialised).toBeUndefined();
  expect(await client.getBooleanDetails('a', false)).toMatchObject({ value: true, reason: 'STATIC', variant: 'on' });
  expect(client.providerStatus).toBe(ProviderStatus.READY);
});

test.each([
  ['by another key', () => signingKey().key],
  ['by nobody', () => undefined],
])(
  'a ruleset signed %s is fatal, nothing is answered from it; it is READY once a good one comes',
  async (_, badKey) => {
    const { key, publicKey } = signingKey();
    const server = await startBundleServer();
    server.serve(revision(7), badKey());
    const { client, events, initialised } = providerClient({ ...FAST, url: server.url, publicKeys: [publicKey] });
    expect(await initialised).toMatchObject({
      code: 'PROVIDER_FATAL',
      message: expect.stringContaining('SLUICE_RULESET_SIGNATURE'),
    });
    expect(client.providerStatus).toBe(ProviderStatus.FATAL);
    expect(await client.getBooleanDetails('a', false)).toMatchObject({ value: false, errorCode: 'PROVIDER_FATAL' });
    server.serve(revision(7), key);
    await until(() => client.providerStatus === ProviderStatus.READY);
    expect(await client.getBooleanValue('a', false)).toBe(true);
    expect(events).toEqual([Failed, Ready]);
  },
);

test('polling finds a change and tells it; the same ruleset is not sent again', async () => {
  const server = await startBundleServer();
  server.serve(revision(7));
  const { client, events, initialised } = providerClient({ ...FAST, url: server.url });
  await initialised;
  const [first, second] = server.requests.filter(({ path }) => path === '/config-bundle');
  expect([first?.headers['if-none-match'], second]).toEqual([undefined, undefined]);
  server.serve(revision(8, 'off'));
  await until(() => events.includes(ConfigurationChanged));
  expect(await client.getBooleanDetails('a', true)).toMatchObject({ value: false, flagMetadata: { version: '8' } });
  const last = server.requests.at(-1);
  expect(last?.headers['if-none-match'] ?? '').toMatch(/^"sha256:/);
  expect(events).toEqual([Ready, ConfigurationChanged]);
});

test.each<[string, (bytes: ReturnType<typeof signingKey>['key']) => object, string]>([
  [
    'with a broken digest',
    () => ({ ruleset: revision(8, 'off'), digest: `sha256:${'0'.repeat(64)}` }),
    'SLUICE_RULESET_DIGEST',
  ],
  ['of a newer schema', () => ({ ruleset: { ...revision(8), schema: 'sluice.ruleset/v2' } }), 'SLUICE_RULESET_NEWER'],
  ['that is none', () => ({ hello: 'world' }), 'SLUICE_RULESET_INVALID'],
  [
    '10,000 levels deep',
    () => JSON.parse(`${'{"ruleset":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
    'SLUICE_RULESET_INVALID',
  ],
])('a later bundle %s is an ERROR and changes no answer; the next good one is READY', async (_, bad, code) => {
  const server = await startBundleServer();
  server.serve(revision(7));
  const { client, events, details, initialised } = providerClient({ ...FAST, url: server.url });
  await initialised;
  const text = deepJson(bad(signingKey().key));
  server.serve((response) => json(response, 200, text));
  await until(() => client.providerStatus === ProviderStatus.ERROR);
  expect(details.at(-1)?.message).toContain(code);
  const answer = await client.getBooleanDetails('a', false);
  expect(answer).toMatchObject({ value: true, flagMetadata: { version: '7', stale: true } });
  server.serve(revision(9, 'off'));
  await until(() => client.providerStatus === ProviderStatus.READY);
  expect(await client.getBooleanDetails('a', true)).toMatchObject({ value: false, flagMetadata: { version: '9' } });
  expect(events).toEqual([Ready, Failed, Ready, ConfigurationChanged]);
});

test.each<[string, (response: Parameters<typeof json>[0]) => void]>([
  ['an error', (response) => void response.writeHead(500).end('no')],
  ['an error of a proxy', (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
  ['an endless body', (response) => flood(response)],
  ['a cut connection', (response) => void response.destroy()],
  ['a redirect to itself', (response) => void response.writeHead(302, { location: '/config-bundle' }).end()],
])(
  '%s at the start is no ruleset: ERROR within the time, the default in the code, and READY later',
  async (_, answer) => {
    const server = await startBundleServer();
    server.serve(answer);
    const options = { ...FAST, url: server.url, readyWithinMs: 400 };
    const { client, initialised } = providerClient(options);
    expect(await client.getBooleanDetails('a', true)).toMatchObject({ value: true, errorCode: 'PROVIDER_NOT_READY' });
    expect(await initialised).toMatchObject({ code: 'PROVIDER_NOT_READY' });
    expect(client.providerStatus).toBe(ProviderStatus.ERROR);
    expect(await client.getBooleanDetails('a', true)).toMatchObject({ value: true, errorCode: 'PROVIDER_NOT_READY' });
    server.serve(revision(7));
    await until(() => client.providerStatus === ProviderStatus.READY);
    expect(await client.getBooleanValue('a', false)).toBe(true);
  },
);

test('a key in the headers goes to the evaluator and nowhere that it redirects to', async () => {
  const [server, elsewhere] = [await startBundleServer(), await startBundleServer()];
  elsewhere.serve(revision(7));
  server.serve((response) => void response.writeHead(307, { location: `${elsewhere.url}/config-bundle` }).end());
  const options = { ...FAST, url: server.url, headers: { 'x-api-key': 'hush' }, readyWithinMs: 300 };
  expect(await providerClient(options).initialised).toMatchObject({ code: 'PROVIDER_NOT_READY' });
  expect(server.requests[0]?.headers).toMatchObject({ 'x-api-key': 'hush' });
  expect(elsewhere.requests).toEqual([]);
});

test.each([401, 403])('an answer %i at the start is fatal at once', async (status) => {
  const server = await startBundleServer();
  server.serve((response) => json(response, status, {}));
  const { client, initialised } = providerClient({ ...FAST, url: server.url });
  expect(await initialised).toMatchObject({ message: expect.stringContaining('SLUICE_SDK_DENIED') });
  expect(client.providerStatus).toBe(ProviderStatus.FATAL);
});

test('silence makes it STALE while the last ruleset answers, and the next answer READY again', async () => {
  const server = await startBundleServer();
  server.serve(revision(7));
  const { client, events, initialised } = providerClient({ url: server.url, pollMs: 20, staleAfterMs: 150 });
  await initialised;
  server.serve((response) => void response.destroy());
  await until(() => client.providerStatus === ProviderStatus.STALE);
  const answer = await client.getBooleanDetails('a', false);
  expect(answer).toMatchObject({ value: true, flagMetadata: { stale: true } });
  server.serve(revision(7));
  await until(() => client.providerStatus === ProviderStatus.READY);
  expect((await client.getBooleanDetails('a', false)).flagMetadata).toEqual({ flagSetId: 'shop', version: '7' });
  expect(events).toEqual([Ready, Stale, Ready]);
});

test('an older ruleset of a replica that lags behind is not taken, and no news either', async () => {
  const server = await startBundleServer();
  server.serve(revision(7));
  const { client, events, initialised } = providerClient({ url: server.url, pollMs: 20, staleAfterMs: 300 });
  await initialised;
  server.serve(revision(6, 'off'));
  await until(() => client.providerStatus === ProviderStatus.STALE);
  expect(await client.getBooleanDetails('a', false)).toMatchObject({ value: true, flagMetadata: { version: '7' } });
  // Not older: an evaluator from files counts anew when it starts anew.
  server.serve(revision(1, 'off', { issuedAt: '2026-11-22T00:00:00Z' }));
  await until(() => events.includes(ConfigurationChanged));
  expect(await client.getBooleanDetails('a', true)).toMatchObject({ value: false, flagMetadata: { version: '1' } });
});

test('a ruleset of another flag set is refused', async () => {
  const server = await startBundleServer();
  server.serve(revision(7));
  const { client, details, initialised } = providerClient({ ...FAST, url: server.url });
  await initialised;
  server.serve(revision(9, 'off', { flagSetId: 'bank' }));
  await until(() => client.providerStatus === ProviderStatus.ERROR);
  expect(details.at(-1)?.message).toContain('bank');
  expect(await client.getBooleanValue('a', false)).toBe(true);
});

test('what the application does to the value of an object changes no later answer', async () => {
  const server = await startBundleServer();
  const variants = { on: { list: [1] }, off: {} };
  server.serve(rulesetWith({ o: flagWith({ type: 'object', variants, defaultVariant: 'on' }) }));
  const { client, initialised } = providerClient({ ...FAST, url: server.url });
  await initialised;
  const value = (await client.getObjectValue('o', {})) as { list: number[] };
  value.list.push(2);
  expect(await client.getObjectValue('o', {})).toEqual({ list: [1] });
});

test('a context that cannot be sent is INVALID_CONTEXT, as it is nowhere else', async () => {
  const server = await startBundleServer();
  server.serve(revision(7));
  const { client, initialised } = providerClient({ ...FAST, url: server.url });
  await initialised;
  const circle: Record<string, never> = {};
  Object.assign(circle, { circle });
  expect(await client.getBooleanDetails('a', false, { circle })).toMatchObject({ errorCode: 'INVALID_CONTEXT' });
});

test('closed while it waits for its first ruleset, it ends at once; and asks nobody any more', async () => {
  const [server, clock] = await Promise.all([startBundleServer(), startBundleServer()]);
  const provider = new SluiceProvider({ url: server.url, pollMs: 20 });
  const another = new SluiceProvider({ url: clock.url, pollMs: 20 });
  onTestFinished(() => another.onClose());
  void another.initialize().catch(() => {}); // never: it has no ruleset to serve
  const initialised = provider.initialize().catch((error: unknown) => String(error));
  await until(() => server.asked() > 0);
  await provider.onClose();
  expect(await initialised).toContain('closed');
  const asked = server.asked();
  const enough = clock.asked() + 10;
  await until(() => clock.asked() >= enough);
  expect(server.asked()).toBe(asked);
});

test.each([
  [{ url: 'ftp://x' }, 'url'],
  [{ url: '' }, 'url'],
  [{ url: 'http://x', pollMs: 0 }, 'pollMs'],
  [{ url: 'http://x', staleAfterMs: 2 ** 31 }, 'staleAfterMs'],
  [{ url: 'http://x', readyWithinMs: Number.NaN }, 'readyWithinMs'],
  [{ url: 'http://x', publicKeys: ['no key'] }, 'publicKeys'],
  [{ url: 'http://x', publicKeys: [signingKey().key.privateKey] }, 'publicKeys'],
])('options that cannot be are refused with the name of the option: %j', (options, name) => {
  let error: unknown;
  try {
    new SluiceProvider(options);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(SluiceError);
  expect(error).toMatchObject({ code: 'SLUICE_SDK_OPTION', message: expect.stringContaining(name) });
});

/** JSON.stringify is recursive, and deep documents are what is tried. */
function deepJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return `${'{"ruleset":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
  }
}

function flood(response: Parameters<typeof json>[0]): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const more = () => {
    while (!response.destroyed && response.write('x'.repeat(65_536)));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}
