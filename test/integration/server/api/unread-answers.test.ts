import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../../../hack/cluster/wait.ts';
import { silent } from '../../../../src/base/logger.ts';
import type { CallerClient } from '../../../../src/kube/caller-clients.ts';
import { ApiService } from '../../../../src/server/api/api-service.ts';
import type { ApiLimits } from '../../../../src/server/api/gate.ts';
import { WIDE } from '../../../support/api-service.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { flagObject } from '../../../support/flag-objects.ts';
import { loopbackCertificate } from '../../../support/flag-webhook.ts';

// The HTTP API over real connections, in front of an API server that always has the same flags.
const signal = AbortSignal.timeout(60_000);
const LIST = '/api/v1/namespaces/shop/flags';
const DOCUMENT = '/api/v1/openapi.json';
/** More than the system takes for a connection that nobody reads. */
const LARGE_BYTES = 12 * 1_048_576;

/** An answer of about so many bytes to each list; while `isSlow` only once the caller has left. */
async function serve(limits: Partial<ApiLimits>, bytes: number, isSlow = () => false) {
  const clock = new FakeClock();
  const spec = { variants: { on: true, off: false }, description: 'x'.repeat(bytes) };
  let asked = 0;
  const raw = async (_: unknown, call: { readonly signal: AbortSignal }) => {
    asked++;
    if (isSlow()) await once(call.signal, 'abort');
    return { metadata: {}, items: [flagObject('checkout', spec)] };
  };
  const client = { raw } as unknown as CallerClient;
  const ports = { clients: { withToken: () => client }, clock, logger: silent, answered: () => {} };
  const service = new ApiService(ports, { ...WIDE, ...limits });
  const { ca, ...pair } = loopbackCertificate();
  const port = await service.start({ host: '127.0.0.1', port: 0 }, pair);
  onTestFinished(async () => {
    const stopped = service.stop();
    await clock.advance(10_000);
    await stopped;
  });
  /** A connection that asks for these and reads nothing of the answers. */
  const open = async (...paths: readonly string[]): Promise<TLSSocket> => {
    const socket = connect({ host: '127.0.0.1', port, ca });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {}); // it is cut
    await once(socket, 'secureConnect');
    socket.write(paths.map((path) => requestOf(path)).join(''));
    return socket;
  };
  const answers = async (...paths: readonly string[]): Promise<number[]> => {
    const socket = await open(...paths.slice(0, -1));
    socket.write(requestOf(paths.at(-1) ?? '', 'Connection: close\r\n'));
    const said = await text(socket);
    return [...said.matchAll(/HTTP\/1.1 (\d+) /g)].map(([, status]) => Number(status));
  };
  const isAsked = (times: number) =>
    waitFor(async () => asked >= times, { what: `${times} lists`, timeoutMs: 20_000, everyMs: 10, signal });
  return { clock, open, answers, isAsked };
}

const requestOf = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: sluice\r\nAuthorization: Bearer somebody\r\n${more}\r\n`;

test('an answer that nobody reads gives its place back after 30 s', async () => {
  const api = await serve({ requests: 2, answerBytes: 64 * 1_048_576 }, LARGE_BYTES);
  const mute = [await api.open(LIST), await api.open(LIST)];
  await api.isAsked(2);
  const gone = Promise.all(mute.map((socket) => once(socket, 'close')));
  expect(await api.answers(LIST)).toEqual([429]);
  await api.clock.advance(29_000);
  expect(await api.answers(LIST)).toEqual([429]);
  await api.clock.advance(1_000);
  for (const socket of mute) socket.resume();
  await gone;
  expect(await api.answers(LIST)).toEqual([200]);
});

test('answers that wait for others on a connection that is closed give their places back', async () => {
  const api = await serve({ requests: 3, answerBytes: 64 * 1_048_576 }, LARGE_BYTES);
  const mute = await api.open(LIST, LIST, LIST);
  await api.isAsked(3);
  expect(await api.answers(LIST)).toEqual([429]);
  mute.destroy();
  const isFree = async () => (await api.answers(LIST, LIST, LIST)).every((status) => status === 200);
  await waitFor(isFree, { what: 'three places being free', timeoutMs: 20_000, everyMs: 50, signal });
});

test('one connection gets eight places and no more', async () => {
  const api = await serve({ requests: 9, answerBytes: 256 * 1_048_576 }, LARGE_BYTES);
  await api.open(...Array.from({ length: 12 }, () => LIST));
  await api.isAsked(8);
  expect(await api.answers(LIST)).toEqual([200]);
  const small = await serve({}, 10);
  const said = await small.answers(...Array.from({ length: 8 }, () => LIST));
  expect(said).toEqual(Array.from({ length: 8 }, () => 200));
});

test('the document takes no place of callers, nor they one of its own', async () => {
  const full = await serve({ requests: 0 }, 10);
  expect(await full.answers(DOCUMENT)).toEqual([200]);
  expect(await full.answers(LIST)).toEqual([429]);
  const closed = await serve({ documents: 0 }, 10);
  expect(await closed.answers(DOCUMENT)).toEqual([429]);
  expect(await closed.answers(LIST)).toEqual([200]);
});

test('answers that wait are bounded in their bytes', async () => {
  const api = await serve({ answerBytes: LARGE_BYTES + 1_048_576 }, LARGE_BYTES);
  const mute = await api.open(LIST);
  await api.isAsked(1);
  await waitFor(async () => (await api.answers(LIST))[0] === 429, {
    what: 'the second answer being refused',
    timeoutMs: 20_000,
    everyMs: 50,
    signal,
  });
  expect(await api.answers(DOCUMENT)).toEqual([200]);
  mute.destroy();
  await waitFor(async () => (await api.answers(LIST))[0] === 200, {
    what: 'room for an answer',
    timeoutMs: 20_000,
    everyMs: 50,
    signal,
  });
});

test('an answer for someone who has left is not counted', async () => {
  let isSlow = true;
  const api = await serve({ answerBytes: 1_500_000 }, 1_048_576, () => isSlow);
  for (const times of [1, 2]) {
    const socket = await api.open(LIST);
    await api.isAsked(times);
    socket.destroy();
  }
  isSlow = false;
  // Long enough for what those two were given to be handed over.
  for (let turn = 0; turn < 5; turn++) expect(await api.answers(LIST)).toEqual([200]);
});
