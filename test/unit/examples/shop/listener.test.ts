import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ShopListener } from '../../../../examples/shop/listener.ts';
import { readSettings } from '../../../../examples/shop/settings.ts';
import { type ClientGroup, startLoad } from '../../../../hack/load/load.ts';

// Only to end what hangs: a busy machine must not decide these tests.
vi.setConfig({ testTimeout: 60_000 });

const ending: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of ending.splice(0)) one.close();
});

async function shop(version: string, env: Record<string, string> = {}) {
  const settings = readSettings({ VERSION: version, LATENCY_MS: '3', ...env });
  const listener = new ShopListener(settings);
  const port = await listener.start(0);
  ending.push({ close: () => listener.stop(Promise.resolve()) });
  return { listener, port, url: `http://127.0.0.1:${port}` };
}

/** What a Service is to connections: new ones go to `to()`, those that exist stay. */
async function balancer(to: () => number) {
  const connections = new Map<number, number>();
  const server: Server = createServer((client) => {
    const port = to();
    const backend = connect(port, '127.0.0.1');
    connections.set(port, open(port) + 1);
    backend.once('close', () => connections.set(port, open(port) - 1));
    client.pipe(backend).pipe(client);
    for (const socket of [client, backend])
      socket.on('error', () => {
        client.destroy();
        backend.destroy();
      });
  });
  const open = (port: number) => connections.get(port) ?? 0;
  ending.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, open };
}

const until = (condition: () => boolean | Promise<boolean>) =>
  vi.waitUntil(condition, { interval: 2, timeout: 30_000 });

describe('the shop', () => {
  it('marks every answer with its version and pod, errors and unknown pages too', async () => {
    const { url } = await shop('v7', { POD_NAME: 'shop-1' });
    for (const path of ['/catalog', '/item/buoy', '/nowhere', '/healthz', '/readyz', '/metrics']) {
      const { headers } = await fetch(url + path);
      expect([headers.get('x-shop-version'), headers.get('x-shop-pod')], path).toEqual(['v7', 'shop-1']);
    }
    const failing = await shop('v8', { ERROR_RATE: '1' });
    const { status, headers } = await fetch(`${failing.url}/catalog`);
    expect([status, headers.get('x-shop-version')]).toEqual([500, 'v8']);
    expect((await fetch(`${failing.url}/healthz`)).status).toBe(200);
  });

  it('answers a cart with its body, and refuses one that is too long', async () => {
    const { url } = await shop('v1');
    const cart = (body: string) => fetch(`${url}/cart`, { method: 'POST', body });
    expect(await (await cart('{"item":"buoy"}')).text()).toBe('{"item":"buoy"}');
    expect((await cart('x'.repeat(65_537))).status).toBe(413);
  });

  it('counts shop requests but neither probes nor scrapes, and shows the counters of errors before the first', async () => {
    const { url } = await shop('v1');
    const metrics = async () => (await fetch(`${url}/metrics`)).text();
    expect(await metrics()).toContain('http_requests_total{method="GET",code="500"} 0');
    await fetch(`${url}/catalog`);
    await fetch(`${url}/item/buoy`);
    await fetch(`${url}/item/none`);
    const text = await metrics();
    expect(text).toContain('http_requests_total{method="GET",code="200"} 2');
    expect(text).toContain('http_requests_total{method="GET",code="404"} 1');
    expect(text).toContain('http_request_duration_seconds_count 3');
  });

  it('never becomes ready when told so, and yet serves', async () => {
    const { url } = await shop('v1', { READY_AFTER_MS: 'never' });
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/catalog`)).status).toBe(200);
  });
});

describe('the shop at its end', () => {
  const kinds: ClientGroup['kind'][] = ['keep-alive', 'post', 'short'];
  it.each(kinds)('loses no request of %s clients while another instance takes over', async (kind) => {
    const [first, second] = [await shop('v1'), await shop('v2')];
    let serving = first;
    const { port, open } = await balancer(() => serving.port);
    const target = { host: '127.0.0.1', port };
    const load = startLoad({ target, hostHeader: 'shop.example', clients: [{ kind, count: 8, ratePerSecond: 300 }] });
    const answered = (version: string) => load.snapshot().byVersion[version]?.answered ?? 0;
    await until(() => answered('v1') >= 30);

    serving = second;
    // The balancer's count, because the listener's own leaves out what the kernel has not handed over yet.
    await first.listener.stop(until(() => open(first.port) === 0));
    const after = answered('v2');
    await until(() => answered('v2') >= after + 30);

    const report = await load.stop();
    expect(report.losses).toEqual([]);
    expect(report.answered).toBe(report.sent);
    await expect(fetch(`${first.url}/healthz`)).rejects.toThrow();
  });

  it('fails its readiness and serves on until it is drained', async () => {
    const { listener, url } = await shop('v1');
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const { promise, resolve } = Promise.withResolvers<void>();
    const stopped = listener.stop(promise);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    const answer = await fetch(`${url}/catalog`);
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    resolve();
    await stopped;
  });

  it('answers what it accepted even when listening ends at once', async () => {
    const { listener, url } = await shop('v1', { LATENCY_MS: '50' });
    const answer = fetch(`${url}/catalog`);
    await until(async () => (await listener.openConnections()) > 0);
    await listener.stop(Promise.resolve());
    expect((await answer).status).toBe(200);
  });
});
