import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Change, EventStreams } from '../../../src/evaluator/event-stream.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let clock: FakeClock;
let streams: EventStreams;
let server: Server;
let news: Change | undefined;
const responses: ServerResponse[] = [];

beforeEach(async () => {
  clock = new FakeClock();
  streams = new EventStreams(clock, 2);
  responses.length = 0;
  news = undefined;
  server = createServer((_request, response) => {
    responses.push(response);
    streams.add(response, news);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  streams.stop();
  server.closeAllConnections();
  server.close();
});

async function reader(): Promise<{ message: IncomingMessage; next(): Promise<string> }> {
  const { port } = server.address() as AddressInfo;
  const [message] = (await once(get({ port, host: '127.0.0.1' }), 'response')) as [IncomingMessage];
  message.setEncoding('utf8');
  message.on('error', () => {}); // it may be cut off
  return { message, next: async () => String((await once(message, 'data'))[0]) };
}

test('a reader hears that the stream is open, then of a change in OFREP’s words', async () => {
  const one = await reader();
  expect(await one.next()).toBe(': open\n\n');
  streams.tell({ tag: 't.1', atSeconds: 1_771_622_898 });
  expect(await one.next()).toBe(
    'event: message\nid: t.1\ndata: {"type":"refetchEvaluation","etag":"t.1","lastModified":1771622898}\n\n',
  );
});

test('a reader that may not know the present state hears of it first', async () => {
  news = { tag: 't.1', atSeconds: 0 };
  const one = await reader();
  expect(await one.next()).toMatch(/^event: message\nid: t\.1\n/);
});

test('every 15 s something is written, so that proxies keep the stream', async () => {
  const one = await reader();
  await one.next();
  for (let round = 0; round < 3; round++) {
    const ping = one.next();
    await clock.advance(15_000);
    expect(await ping).toBe(': ping\n\n');
  }
});

test('readers are counted up to the bound, and no more once they are gone', async () => {
  const [one] = [await reader(), await reader()];
  expect([streams.size, streams.isFull]).toEqual([2, true]);
  const gone = once(responses[0] as ServerResponse, 'close');
  one.message.destroy();
  await gone;
  expect([streams.size, streams.isFull]).toEqual([1, false]);
});

test('a reader that does not read is cut off once 64 KiB wait for it', async () => {
  await reader(); // and then it takes nothing
  const [response] = responses;
  const closed = once(response as ServerResponse, 'close');
  // What the sockets between hold is the system's business: write until it is full, with a bound that is never met.
  for (let writes = 0; writes < 1_000_000 && !response?.destroyed; writes++) {
    streams.tell({ tag: 'x'.repeat(10_000), atSeconds: 0 });
  }
  await closed;
  expect([response?.destroyed, streams.size]).toEqual([true, 0]);
});
