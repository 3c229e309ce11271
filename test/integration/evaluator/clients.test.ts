import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { scratchDirectory } from '../../support/event-fixtures.ts';
import { post, type RunningSidecar, startSidecar, until } from '../../support/sidecar.ts';

const FLAGS = '/ofrep/v1/evaluate/flags';
const KEY = 'web-0123456789abcdef';
const PAGE = 'https://shop.example';
const user = { context: { targetingKey: 'user-1' } };

const FLAG_FILE = `
apiVersion: sluice.dev/v1alpha1
kind: FeatureFlag
metadata: { name: banner }
spec:
  clientSide: true
  type: boolean
  variants: { "on": true, "off": false }
  offVariant: "off"
  defaultVariant: "off"
  prerequisites: [ { flag: internal, variants: [ "on" ] } ]
  overrides: [ { units: [ qa-1 ], variant: "on" } ]
  segments: { staff: { any: [ { attr: email, op: endsWith, value: "@shop.example" } ] } }
  rules: [ { id: secret-staff, when: { all: [ { segment: staff } ] }, serve: { variant: "on" } } ]
---
apiVersion: sluice.dev/v1alpha1
kind: FeatureFlag
metadata: { name: internal }
spec:
  type: boolean
  variants: { "on": true, "off": false }
  offVariant: "off"
  defaultVariant: "on"
`;

let folder: string;
let flagFile: string;
let keyFile: string;
let sidecar: RunningSidecar;
let url: string;

beforeEach(async () => {
  folder = scratchDirectory();
  flagFile = join(folder, 'flags.yaml');
  keyFile = join(folder, 'keys');
  writeFileSync(flagFile, FLAG_FILE);
  writeFileSync(keyFile, `# web\n${KEY}\n`);
  const clients = ['--client-key-file', keyFile, '--client-port', '0', '--cors-origin', PAGE];
  const events = ['--events-dir', join(folder, 'events')];
  sidecar = await startSidecar(['--file', flagFile, '--watch', ...clients, ...events]);
  await until(() => sidecar.ready());
  url = `http://${/"clients":"([^"]+)"/.exec(sidecar.log())?.[1]}`;
});

const bearer = { authorization: `Bearer ${KEY}` };

/** As a page of PAGE does it, without holding statuses to OFREP's document. */
async function ask(path: string, headers: Record<string, string>, { method = 'POST', body = user as object } = {}) {
  const init = { method, headers: { 'content-type': 'application/json', ...headers } };
  const response = await fetch(`${url}${path}`, method === 'POST' ? { ...init, body: JSON.stringify(body) } : init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}

test('a client sees flags with clientSide only; others do not exist, alone and in bulk', async () => {
  const single = await post(url, `${FLAGS}/banner`, JSON.stringify(user), bearer);
  expect(single.body).toMatchObject({ key: 'banner', value: false, variant: 'off', reason: 'DEFAULT' });
  const internal = await post(url, `${FLAGS}/internal`, JSON.stringify(user), bearer);
  expect([internal.status, internal.body.errorCode]).toEqual([404, 'FLAG_NOT_FOUND']);
  const bulk = await post(url, FLAGS, JSON.stringify(user), { 'x-api-key': KEY });
  expect(bulk.body.flags).toEqual([single.body]);
  const onServers = await sidecar.post(FLAGS, user);
  expect(onServers.body.flags.map(({ key }: { key: string }) => key)).toEqual(['banner', 'internal']);
});

test('answers do not say whom a team targets', async () => {
  const contexts = [{ targetingKey: 'u', email: 'a@shop.example' }, { targetingKey: 'qa-1' }, { targetingKey: 'u' }];
  for (const context of contexts) {
    const { body } = await ask(`${FLAGS}/banner`, bearer, { body: { context } });
    expect(body.metadata).toEqual({ flagSetId: 'default', version: expect.any(String) });
  }
  writeFileSync(flagFile, FLAG_FILE.replace('defaultVariant: "on"', 'defaultVariant: "off"'));
  const unmet = { context: { targetingKey: 'u', email: 'a@shop.example' } };
  await until(async () => (await ask(`${FLAGS}/banner`, bearer, { body: unmet })).body.value === false);
  expect(JSON.stringify((await ask(FLAGS, bearer, { body: unmet })).body)).not.toMatch(/internal|secret|staff|qa-1/);
  expect((await sidecar.post(`${FLAGS}/banner`, unmet)).body.metadata).toMatchObject({ prerequisite: 'internal' });
});

test('what servers have besides is not there for clients', async () => {
  for (const [method, path] of [
    ['POST', '/evaluate'],
    ['GET', '/config-bundle'],
    ['POST', '/metrics'],
    ['GET', '/metrics'],
  ] as const)
    expect([path, (await ask(path, bearer, { method })).status]).toEqual([path, 404]);
  expect((await ask('/exposures', bearer, { body: { exposures: [] } })).status).toBe(202);
});

test.each([
  ['no key', {}],
  ['a wrong key', { authorization: `Bearer ${KEY}x` }],
  ['an empty key', { authorization: 'Bearer ' }],
  ['another scheme', { authorization: `Basic ${KEY}` }],
  ['the ticket of the stream as key', { 'x-api-key': 'ticket' }],
])('%s is a 401 on every endpoint', async (_, headers) => {
  const paths = [
    FLAGS,
    `${FLAGS}/banner`,
    '/exposures',
    '/nothing',
    `/ofrep/v1/events?ticket=${KEY}`,
    `${FLAGS}?ticket=x`,
  ];
  for (const path of paths) {
    const { status, body, headers: said } = await ask(path, headers as Record<string, string>);
    expect([path, status, body.code, said.get('www-authenticate')]).toEqual([path, 401, 'SLUICE_CLIENT_KEY', 'Bearer']);
  }
});

test('a page asks before it sends, and is told what it may send and read, without a key', async () => {
  const asking = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  };
  const { status, headers } = await ask(FLAGS, { origin: PAGE, ...asking }, { method: 'OPTIONS' });
  expect(status).toBe(204);
  expect(headers.get('access-control-allow-origin')).toBe(PAGE);
  expect(headers.get('access-control-allow-methods')).toBe('GET, POST');
  for (const name of ['authorization', 'content-type', 'if-none-match', 'sluice-exposure', 'x-api-key'])
    expect(headers.get('access-control-allow-headers')).toContain(name);
  expect(headers.get('access-control-allow-credentials')).toBeNull();
});

test('a page can read answers, errors too, and its ETag', async () => {
  const { headers } = await ask(FLAGS, { origin: PAGE, ...bearer });
  expect(headers.get('access-control-expose-headers')).toContain('etag');
  const again = await ask(FLAGS, { origin: PAGE, ...bearer, 'if-none-match': String(headers.get('etag')) });
  const refused = await ask(FLAGS, { origin: PAGE });
  expect([again.status, refused.status]).toEqual([304, 401]);
  for (const { headers: said } of [{ headers }, again, refused]) {
    expect([said.get('access-control-allow-origin'), said.get('vary')]).toEqual([PAGE, 'origin']);
  }
});

test.each(['https://other.example', 'http://shop.example', `${PAGE}.other.example`, 'null'])(
  'a page of another origin is refused, with a good key and before it: %s',
  async (origin) => {
    for (const method of ['OPTIONS', 'POST']) {
      const { status, headers, body } = await ask(FLAGS, { origin, ...bearer }, { method });
      expect([status, body.code]).toEqual([403, 'SLUICE_CLIENT_ORIGIN']);
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  },
);

test('servers are asked as ever, without CORS', async () => {
  const { status, headers } = await sidecar.post(`${FLAGS}/internal`, user, { origin: PAGE });
  expect([status, headers['access-control-allow-origin']]).toEqual([200, undefined]);
});

/** As EventSource does it: no header but the origin. */
async function openStream(path: string): Promise<IncomingMessage> {
  const request = get(`${url}${path}`, { headers: { origin: PAGE } });
  onTestFinished(() => void request.destroy());
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response.on('error', () => {}); // it ends with the request
}

test('the event stream is opened by the address of the bulk answer, without a header', async () => {
  const { body } = await ask(FLAGS, { origin: PAGE, ...bearer });
  const [{ endpoint }] = body.eventStreams;
  expect(endpoint.requestUri).not.toContain(KEY);
  const response = await openStream(endpoint.requestUri);
  expect([response.statusCode, response.headers['access-control-allow-origin']]).toEqual([200, PAGE]);
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const told = () => new Set(text.match(/^id: .*$/gm));
  await until(() => told().size === 1); // where things stand
  writeFileSync(flagFile, FLAG_FILE.replace('qa-1', 'qa-2'));
  await until(() => told().size === 2);
});

async function connected(): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {}); // the server may cut us off
  await once(socket, 'connect');
  return socket;
}

test('a body that is sent to the event stream takes its room like any other', async () => {
  const { body } = await ask(FLAGS, bearer);
  const head = [
    `POST ${body.eventStreams[0].endpoint.requestUri} HTTP/1.1`,
    ...['host: x', 'content-type: application/json', `content-length: ${2 ** 20}`],
  ];
  const waiting = await Promise.all(Array.from({ length: 8 }, connected));
  for (const socket of waiting) socket.write(`${head.join('\r\n')}\r\n\r\n{`);
  await until(async () => (await ask(FLAGS, bearer)).status === 429);
  for (const socket of waiting) socket.destroy();
  await until(async () => (await ask(FLAGS, bearer)).status === 200);
});

test('clients who use up their event streams leave those of servers alone, and hear when all end', async () => {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const open = async (at: string) => {
    const { status } = await fetch(`${at}/ofrep/v1/events`, { headers: bearer, signal: abort.signal });
    return status;
  };
  const statuses = await Promise.all(Array.from({ length: 1_000 }, () => open(url)));
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(await open(url)).toBe(429);
  expect(await open(sidecar.url)).toBe(200);
  expect(await (await fetch(`${sidecar.healthUrl}/metrics`)).text()).toMatch(/^sluice_event_streams 1001$/m);
  expect(await sidecar.stop()).toBe(0);
});

test('connections of clients are bounded, and those of servers are none of them', async () => {
  const answered = async () => {
    const socket = await connected();
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'); // so that it is kept
    await once(socket, 'data');
    return socket;
  };
  const sockets = await Promise.all(Array.from({ length: 3_000 }, answered));
  await expect(ask(FLAGS, bearer)).rejects.toThrow('fetch failed');
  expect((await sidecar.post(FLAGS, user)).status).toBe(200);
  for (const socket of sockets) socket.destroy();
  await until(async () => (await ask(FLAGS, bearer).catch(() => undefined))?.status === 200);
});

test('keys are changed while it runs; a file that cannot be used leaves the ones from before', async () => {
  const next = 'next-0123456789abcdef';
  const put = (text: string) => {
    writeFileSync(`${keyFile}.new`, text);
    renameSync(`${keyFile}.new`, keyFile); // as Secrets are mounted
  };
  put(`${KEY}\n${next}\n`);
  await until(async () => (await ask(FLAGS, { 'x-api-key': next })).status === 200);
  expect((await ask(FLAGS, bearer)).status).toBe(200);
  put('no key\n');
  await sidecar.logged('line 1 is no key');
  expect((await ask(FLAGS, bearer)).status).toBe(200);
  put(`${next}\n`);
  await until(async () => (await ask(FLAGS, bearer)).status === 401);
  expect((await ask(FLAGS, { 'x-api-key': next })).status).toBe(200);
  expect(sidecar.log()).not.toContain(next);
  expect(await sidecar.stop()).toBe(0);
});

test('a file of keys that is not there ends the program at its start', async () => {
  const args = ['--file', flagFile, '--client-key-file', join(folder, 'none'), '--client-port', '0'];
  await expect(startSidecar(args)).rejects.toThrow(/SLUICE_SIDECAR_ARGUMENT: --client-key-file .*ENOENT/);
});
