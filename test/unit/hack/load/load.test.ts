import { createServer, type RequestListener, type Server } from 'node:http';
import { constants, createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ClientGroup, type LoadHandle, startLoad } from '../../../../hack/load/load.ts';
import type { ClientKind, LossKind } from '../../../../hack/load/outcome.ts';

// Only to end what hangs: a busy machine must not decide these tests.
vi.setConfig({ testTimeout: 60_000 });

const opened: (Server | Http2Server | TcpServer)[] = [];
afterEach(() => {
  for (const server of opened.splice(0)) {
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
  }
});

async function portOf(server: Server | Http2Server | TcpServer): Promise<number> {
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const app: RequestListener = (request, response) => {
  request.resume();
  response.setHeader('x-shop-version', 'v1').end('ok');
};

const every = (kind: ClientKind, extra: Partial<ClientGroup> = {}): ClientGroup => ({
  kind,
  count: 2,
  ratePerSecond: 200,
  ...extra,
});
const load = (port: number, clients: ClientGroup[], extra: object = {}): LoadHandle =>
  startLoad({ target: { host: '127.0.0.1', port }, hostHeader: 'shop.example', clients, ...extra });

const until = (condition: () => boolean) => vi.waitUntil(condition, { interval: 2, timeout: 30_000 });

/** Waits until `count` requests have ended, then stops. */
async function reportAfter(count: number, handle: LoadHandle) {
  await until(() => {
    const { answered, lost } = handle.snapshot();
    return answered + lost >= count;
  });
  return handle.stop();
}

describe('a load over HTTP/1.1', () => {
  it('sends host, user and extra headers, reads and carts, and reuses only the connections of clients that keep them', async () => {
    const seen: { url: string; host: string; team: string; user: string }[] = [];
    const sockets = { 'keep-alive': new Set<unknown>(), short: new Set<unknown>() };
    const port = await portOf(
      createServer((request, response) => {
        const { host = '', 'x-team': team, 'x-user-id': user } = request.headers;
        seen.push({ url: `${request.method} ${request.url}`, host, team: String(team), user: String(user) });
        if (team === 'short' || team === 'keep-alive') sockets[team].add(request.socket);
        app(request, response);
      }),
    );
    const group = (kind: ClientKind) => every(kind, { headers: { 'x-team': kind } });
    const handle = load(port, [group('keep-alive'), group('short'), group('post')]);
    await until(() => sockets['keep-alive'].size < seen.filter(({ team }) => team === 'keep-alive').length);
    const report = await reportAfter(60, handle);
    expect(report.lost).toBe(0);
    expect(report.answered).toBe(report.sent);
    expect(report.users).toBe(6);
    expect(seen.every(({ host }) => host === 'shop.example')).toBe(true);
    expect(new Set(seen.map(({ user }) => user)).size).toBe(6);
    expect(seen.filter(({ team }) => team === 'post').every(({ url }) => url === 'POST /cart')).toBe(true);
    expect(sockets.short.size).toBe(seen.filter(({ team }) => team === 'short').length);
  });

  it('counts a 503 that the gateway made as lost and a 500 that the app made as its error', async () => {
    let n = 0;
    const port = await portOf(
      createServer((request, response) => {
        n += 1;
        response.statusCode = n % 2 === 0 ? 503 : 500;
        if (n % 2 === 1) response.setHeader('x-shop-version', 'v2');
        request.resume();
        response.end();
      }),
    );
    const report = await reportAfter(20, load(port, [every('keep-alive')]));
    expect(report.lostByKind).toEqual({ gateway: report.byStatus[503] });
    expect(report.byVersion.v2?.appErrors).toBe(report.byStatus[500]);
    expect(report.answered + report.lost).toBe(report.sent);
  });

  it('counts a connection that is reset instead of an answer as lost, and sends nothing twice', async () => {
    let connections = 0;
    const port = await portOf(
      createTcpServer((socket) => {
        connections += 1;
        socket.on('error', () => {});
        socket.once('data', () => socket.resetAndDestroy());
      }),
    );
    const report = await reportAfter(10, load(port, [every('keep-alive'), every('post')]));
    expect(report).toMatchObject({ answered: 0, lost: report.sent, lostByKind: { closed: report.sent } });
    expect(connections).toBe(report.sent);
    expect(report.losses.every(({ code }) => code === 'ECONNRESET')).toBe(true);
  });

  it('says when the connection had served before it was closed', async () => {
    const port = await portOf(
      createServer((request, response) => {
        const isFirst = !served.has(request.socket);
        served.add(request.socket);
        if (isFirst) app(request, response);
        else request.socket.destroy();
      }),
    );
    const served = new Set<unknown>();
    const report = await reportAfter(20, load(port, [every('keep-alive')]));
    expect(report.answered).toBeGreaterThan(0);
    expect(report.lostByKind).toEqual({ reusedConnectionClosed: report.lost });
  });

  it('counts an answer that breaks off as lost although its status was good', async () => {
    const port = await portOf(
      createServer((_request, response) => {
        response.writeHead(200, { 'x-shop-version': 'v1', 'content-length': 10 });
        response.write('12345', () => response.destroy());
      }),
    );
    const report = await reportAfter(5, load(port, [every('keep-alive')]));
    expect(report.lostByKind).toEqual({ cutShort: report.sent });
    expect(report.losses[0]?.status).toBe(200);
  });

  it('counts a request without an answer in time as lost', async () => {
    const port = await portOf(createServer(() => {}));
    const report = await reportAfter(3, load(port, [every('post')], { timeoutMs: 20 }));
    expect(report).toMatchObject({ answered: 0, lostByKind: { timeout: report.sent } });
  });

  it('counts a connection that cannot be opened as lost', async () => {
    const server = createServer();
    const port = await portOf(server);
    await new Promise((resolve) => server.close(resolve));
    const report = await reportAfter(4, load(port, [every('short'), every('http2')]));
    expect(report.lostByKind).toEqual({ noConnection: report.sent });
    expect(new Set(report.losses.map(({ code }) => code))).toEqual(new Set(['ECONNREFUSED']));
  });
});

describe('a load over HTTP/2', () => {
  it('uses one connection for each client', async () => {
    const sessions = new Set<unknown>();
    const server = createHttp2Server((request, response) => {
      sessions.add(request.stream.session);
      request.resume();
      response.setHeader('x-shop-version', request.authority === 'shop.example' ? 'v1' : 'wrong');
      response.end('ok');
    });
    const report = await reportAfter(40, load(await portOf(server), [every('http2')]));
    expect(report).toMatchObject({ lost: 0, answered: report.sent });
    expect(Object.keys(report.byVersion)).toEqual(['v1']);
    expect(sessions.size).toBe(2);
  });

  it('opens another connection after GOAWAY', async () => {
    let answers = 0;
    const server = createHttp2Server((request, response) => {
      request.resume();
      response.setHeader('x-shop-version', 'v1');
      response.end('ok');
      answers += 1;
      const { session } = request.stream;
      if (answers % 5 === 0) request.stream.once('close', () => session?.goaway(0, 2 ** 31 - 1));
    });
    let connections = 0;
    server.on('connection', () => {
      connections += 1;
    });
    const handle = load(await portOf(server), [every('http2', { count: 1, ratePerSecond: 100 })], { timeoutMs: 500 });
    await until(() => connections >= 5);
    const { answered, sent, lostByKind } = await handle.stop();
    // What Node had queued when GOAWAY came never leaves: docs/decisions/0080.
    const { refusedStream = 0, timeout = 0 } = lostByKind;
    expect(answered).toBe(sent - refusedStream - timeout);
    expect(answered).toBeGreaterThanOrEqual(20);
  });

  type Breaking = (stream: ServerHttp2Stream) => void;
  const breakings: [string, Breaking, LossKind[]][] = [
    ['a stream that is refused', (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM), ['refusedStream']],
    [
      'an answer that breaks off',
      (stream) => {
        stream.respond({ ':status': 200, 'x-shop-version': 'v1' });
        stream.write('half', () => stream.destroy(new Error('broken')));
      },
      ['cutShort'],
    ],
    // Streams that share the connection go down with it.
    [
      'a connection that breaks',
      (stream) => stream.session?.destroy(),
      ['reusedConnectionClosed', 'closed', 'refusedStream'],
    ],
  ];
  it.each(breakings)('counts %s as lost, by its kind', async (_name, breakIt, kinds) => {
    let n = 0;
    const server = createHttp2Server();
    server.on('stream', (stream) => {
      n += 1;
      stream.on('error', () => {});
      if (n % 4 === 0) return breakIt(stream);
      stream.respond({ ':status': 200, 'x-shop-version': 'v1' });
      stream.end('ok');
    });
    const handle = load(await portOf(server), [every('http2', { count: 1, ratePerSecond: 100 })]);
    await until(() => kinds[0]! in handle.snapshot().lostByKind);
    const { answered, lost, lostByKind, sent } = await handle.stop();
    expect(answered + lost).toBe(sent);
    expect(kinds).toEqual(expect.arrayContaining(Object.keys(lostByKind)));
  });
});

describe('the end of a load', () => {
  it('waits for the answers in flight when it is stopped', async () => {
    const held: (() => void)[] = [];
    const port = await portOf(createServer((request, response) => held.push(() => app(request, response))));
    const handle = load(port, [every('keep-alive')]);
    await until(() => held.length >= 3);
    const stopped = handle.stop();
    const release = setInterval(() => held.splice(0).map((answer) => answer()), 1);
    const report = await stopped;
    clearInterval(release);
    expect(report).toMatchObject({ answered: report.sent, lost: 0, inFlight: 0 });
    expect(handle.snapshot()).toEqual(report);
  });

  it('judges nothing that was in flight when it is aborted', async () => {
    const cancel = new AbortController();
    let asked = 0;
    const port = await portOf(createServer(() => (asked += 1)));
    const handle = load(port, [every('keep-alive')], { signal: cancel.signal });
    await until(() => asked >= 3);
    cancel.abort();
    expect(await handle.stop()).toMatchObject({ answered: 0, lost: 0, inFlight: 0 });
    expect(handle.snapshot().abandoned).toBe(handle.snapshot().sent);
  });

  it('refuses groups without clients or rate', () => {
    expect(() => load(1, [every('short', { count: 0 })])).toThrow('at least one client');
    expect(() => load(1, [every('short', { ratePerSecond: Number.NaN })])).toThrow('rate');
  });
});
