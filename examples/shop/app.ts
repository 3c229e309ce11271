import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { burn, delayMs, RequestRate } from './faults.ts';
import { flagOf } from './flags.ts';
import { shopMetrics } from './metrics.ts';
import type { ShopSettings } from './settings.ts';

interface Reply {
  readonly code: number;
  readonly body: string | Buffer;
  readonly type?: string;
}

const LONGEST_BODY_BYTES = 64 * 1024;
const JSON_TYPE = 'application/json';
const items = ['anchor', 'buoy', 'compass', 'davit', 'ensign'].map((id, index) => ({ id, price: 10 * (index + 1) }));

/** The shop without its sockets. `random` answers numbers in [0, 1). */
export class ShopApp {
  /** Set once: readiness fails, and answers ask their client to open another connection. */
  draining = false;
  readonly #rate = new RequestRate();
  readonly #settings: ShopSettings;
  readonly #random: () => number;
  readonly #metrics = shopMetrics();
  readonly #startedMs = performance.now();

  constructor(settings: ShopSettings, random: () => number = Math.random) {
    this.#settings = settings;
    this.#random = random;
  }

  /** Answers one request; rejects only when the client went away in the middle of its body. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = (await this.#maintenance(request)) ?? (await this.#shop(request));
    response.statusCode = reply.code;
    response.setHeader('content-type', reply.type ?? 'text/plain');
    // The mark of the app: an answer without it was made by something on the way.
    response.setHeader('x-shop-version', this.#settings.version);
    response.setHeader('x-shop-pod', this.#settings.pod);
    if (this.draining) response.setHeader('connection', 'close');
    response.end(reply.body);
  }

  async #maintenance({ url = '' }: IncomingMessage): Promise<Reply | undefined> {
    if (url.startsWith('/flags/')) return this.#flag(new URL(url, 'http://shop'));
    switch (url) {
      case '/healthz':
        return { code: 200, body: 'ok\n' };
      case '/readyz':
        return this.#isReady() ? { code: 200, body: 'ready\n' } : { code: 503, body: 'not ready\n' };
      case '/metrics':
        return { code: 200, body: await this.#metrics.text() };
      default:
        return undefined;
    }
  }

  /** `/flags/KEY?user=ID`: what this user gets. */
  async #flag({ pathname, searchParams }: URL): Promise<Reply> {
    const { flags } = this.#settings;
    if (flags === undefined) return { code: 404, body: 'OFREP_ENDPOINT is not set\n' };
    const key = pathname.slice('/flags/'.length);
    const answer = await flagOf(flags, decoded(key), searchParams.get('user') ?? '');
    return { code: 200, body: JSON.stringify(answer), type: JSON_TYPE };
  }

  #isReady(): boolean {
    const { readyAfterMs } = this.#settings;
    return !this.draining && readyAfterMs !== 'never' && performance.now() - this.#startedMs >= readyAfterMs;
  }

  async #shop(request: IncomingMessage): Promise<Reply> {
    const startedMs = performance.now();
    const body = await readBody(request);
    const wait = delayMs(this.#settings.latencyMs, this.#random);
    if (wait > 0) await sleep(wait);
    burn(this.#settings.cpuMs);
    const busy = this.#rate.count(startedMs) > this.#settings.errorAboveRps;
    const failed = busy && this.#random() < this.#settings.errorRate;
    const reply = failed ? { code: 500, body: 'out of stock\n' } : page(request, body);
    this.#metrics.observe(request.method ?? '', reply.code, (performance.now() - startedMs) / 1000);
    return reply;
  }
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function page({ method, url = '' }: IncomingMessage, body: Buffer | 'too long'): Reply {
  if (body === 'too long') return { code: 413, body: 'body too long\n' };
  const [path = ''] = url.split('?', 1);
  if (method === 'POST') {
    return path === '/cart' ? { code: 200, body, type: 'application/octet-stream' } : { code: 404, body: 'not here\n' };
  }
  if (method !== 'GET') return { code: 405, body: 'GET or POST\n' };
  if (path === '/catalog') return { code: 200, body: JSON.stringify(items), type: JSON_TYPE };
  const item = items.find(({ id }) => path === `/item/${id}`);
  return item ? { code: 200, body: JSON.stringify(item), type: JSON_TYPE } : { code: 404, body: 'no such item\n' };
}

/** Reads to the end even what is too long, so that the connection can be used again. */
async function readBody(request: IncomingMessage): Promise<Buffer | 'too long'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= LONGEST_BODY_BYTES) chunks.push(chunk);
  }
  return bytes <= LONGEST_BODY_BYTES ? Buffer.concat(chunks) : 'too long';
}
