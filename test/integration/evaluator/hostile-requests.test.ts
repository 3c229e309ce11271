import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { post, type RunningSidecar, startSidecar, until } from '../../support/sidecar.ts';

const FLAGS = '/ofrep/v1/evaluate/flags';
const MEBIBYTE = 2 ** 20;

async function running(): Promise<RunningSidecar> {
  const sidecar = await startSidecar(['--file', 'examples/flags']);
  await until(() => sidecar.ready());
  return sidecar;
}

/** Everybody else is still served. */
async function expectServing(sidecar: RunningSidecar): Promise<void> {
  const { status } = await sidecar.post(`${FLAGS}/wallets`, { context: { targetingKey: 'u' } });
  expect(status).toBe(200);
}

async function rawConnection({ url }: RunningSidecar): Promise<{ socket: Socket; received: () => string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {}); // the server may cut us off
  await once(socket, 'connect');
  return { socket, received: () => text };
}

const head = (length: number | 'chunked') =>
  `POST ${FLAGS}/wallets HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${
    length === 'chunked' ? 'transfer-encoding: chunked' : `content-length: ${length}`
  }\r\n\r\n`;

test('a body of 10 MB is refused from its announced length, without being read', async () => {
  const sidecar = await running();
  const { socket, received } = await rawConnection(sidecar);
  socket.write(head(10_000_000));
  await until(() => received().includes('\r\n\r\n'));
  expect(received()).toMatch(/^HTTP\/1\.1 400 /);
  expect(received()).toContain('SLUICE_REQUEST_TOO_LARGE');
  await expectServing(sidecar);
});

const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;

test('a body whose length nobody said is refused with its first byte over 1 MiB', async () => {
  const sidecar = await running();
  const { socket, received } = await rawConnection(sidecar);
  socket.write(`${head('chunked')}${chunk(MEBIBYTE)}${chunk(1)}`);
  await until(() => received().includes('SLUICE_REQUEST_TOO_LARGE'));
  await expectServing(sidecar);
});

test('a body of 10 MB whose length nobody said is cut off', async () => {
  const sidecar = await running();
  const { socket, received } = await rawConnection(sidecar);
  socket.write(head('chunked'));
  let sent = 0;
  while (sent < 10_000_000 && received() === '' && socket.writable) {
    await new Promise((resolve) => socket.write(chunk(65_536), resolve));
    sent += 65_536;
  }
  // Who goes on sending may meet the end of the connection before the answer.
  await until(() => received().includes('SLUICE_REQUEST_TOO_LARGE') || socket.destroyed);
  expect(sent).toBeLessThan(10_000_000);
  await expectServing(sidecar);
});

test('a body that never comes to its end takes its room, and what does not fit gets 429 with Retry-After', async () => {
  const sidecar = await running();
  const waiting = await Promise.all(Array.from({ length: 16 }, () => rawConnection(sidecar)));
  for (const { socket } of waiting) socket.write(`${head(MEBIBYTE)}{"context":`);
  await until(async () => (await sidecar.post(`${FLAGS}/wallets`, {})).status === 429);
  const refused = await sidecar.post(FLAGS, {});
  expect([refused.status, refused.headers['retry-after'], refused.body.errorCode]).toEqual([429, '1', 'GENERAL']);
  expect(await sidecar.ready()).toBe(true);
  for (const { socket } of waiting) socket.destroy();
  await until(async () => (await sidecar.post(`${FLAGS}/wallets`, {})).status === 200);
  const metrics = await (await fetch(`${sidecar.healthUrl}/metrics`)).text();
  expect(metrics).toMatch(/^sluice_requests_refused_total [1-9]/m);
});

test.each([
  ['10,000 levels of objects', `{"context":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_001)}`, 400],
  ['500,000 levels of lists', '['.repeat(500_000), 400],
  ['60,000 keys', `{"context":{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":1`).join()}}}`, 200],
  ['__proto__ and constructor', '{"context":{"__proto__":{"targetingKey":"x"},"constructor":{"prototype":1}}}', 200],
  ['lone surrogates', '{"context":{"targetingKey":"\\ud800","\\udc00":"\\ud800"}}', 200],
  ['numbers beyond doubles', '{"context":{"n":1e999,"m":-1e-999}}', 200],
  ['a date out of range', '{"context":{"d":"999999-13-45T99:99:99Z"}}', 200],
])('harms nobody: %s', async (_, body, status) => {
  const sidecar = await running();
  for (const path of [FLAGS, `${FLAGS}/wallets`]) expect((await post(sidecar.url, path, body)).status).toBe(status);
  await expectServing(sidecar);
});

test('bytes that are no UTF-8, and no HTTP, harm nobody', async () => {
  const sidecar = await running();
  const { socket, received } = await rawConnection(sidecar);
  socket.write(head(20));
  socket.write(Buffer.concat([Buffer.from('{"context":{"a":"'), Buffer.from([0xff, 0xfe, 0xc0])]));
  await until(() => received().includes('\r\n\r\n'));
  expect(received()).toMatch(/^HTTP\/1\.1 400 /);
  const other = await rawConnection(sidecar);
  other.socket.write('\x16\x03\x01 hello\r\n\r\n');
  await once(other.socket, 'close');
  await expectServing(sidecar);
});

test('a context is never logged', async () => {
  const sidecar = await running();
  await sidecar.post(`${FLAGS}/wallets`, { context: { targetingKey: 'someone@example.com', secret: 'hush-hush' } });
  await post(sidecar.url, `${FLAGS}/wallets`, '{"context":"hush-hush"}');
  expect(sidecar.log()).not.toMatch(/hush|someone/);
});

test('a request that is under way at SIGTERM is answered, readiness is gone, and the process ends with 0', async () => {
  const sidecar = await running();
  const { socket, received } = await rawConnection(sidecar);
  const body = '{"context":{"targetingKey":"u"}}';
  socket.write(head(body.length) + body.slice(0, 10));
  // The server has the request once it counts: everything before it on the loop is done.
  await expectServing(sidecar);
  const ended = sidecar.stop('SIGTERM');
  await until(async () => !(await sidecar.ready().catch(() => false)));
  socket.write(body.slice(10));
  await until(() => received().includes('"key":"wallets"'));
  expect(received()).toMatch(/^HTTP\/1\.1 200 /);
  expect(await ended).toBe(0);
});

test('a request that never comes to its end holds the stop up for 5 s at most', async () => {
  const sidecar = await running();
  const { socket } = await rawConnection(sidecar);
  socket.write(`${head(100)}{`);
  await expectServing(sidecar);
  expect(await sidecar.stop('SIGTERM')).toBe(0);
});

test('event streams beyond the bound get 429', async () => {
  const sidecar = await running();
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const open = () => fetch(`${sidecar.url}/ofrep/v1/events`, { signal: abort.signal });
  const statuses = await Promise.all(Array.from({ length: 1_000 }, async () => (await open()).status));
  expect(new Set(statuses)).toEqual(new Set([200]));
  const beyond = await open();
  expect([beyond.status, beyond.headers.get('retry-after')]).toEqual([429, '1']);
  await expectServing(sidecar);
});
