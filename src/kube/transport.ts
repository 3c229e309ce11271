import { Agent, type Dispatcher, ProxyAgent, request, Socks5ProxyAgent } from 'undici';
import type { Clock } from '../base/clock.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import { settlesWithin } from './deadline.ts';

/** Connections of one kind of traffic. No lane ever waits for another. */
export type Lane = 'ordinary' | 'safety' | 'watch';

/** Connections per lane; a watch holds its connection for as long as it lasts, so that lane has no limit. */
const CONNECTIONS: Record<Lane, number | null> = { ordinary: 8, safety: 4, watch: null };

export interface HttpRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** What sends requests: a Transport, or one that adds whose they are. */
export type Sender = Pick<Transport, 'send' | 'distrustCredentials' | 'close'>;

interface Pools {
  readonly tlsDigest: string;
  readonly lanes: Readonly<Record<Lane, Dispatcher>>;
}

/** HTTP to the API server over pooled connections, which are exchanged when the TLS credentials change. */
export class Transport {
  readonly #credentials: CredentialSource;
  readonly #clock: Clock;
  #pools: Pools | undefined;

  constructor(credentials: CredentialSource, clock: Clock) {
    this.#credentials = credentials;
    this.#clock = clock;
  }

  /**
   * Answers as soon as the response's head is there. Errors are undici's, or SLUICE_KUBE_CONFIG. Ends with its signal at
   * once: undici alone would only look at it when a connection is there, and others may hold all of them for long.
   */
  send(lane: Lane, request: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    return orAborted(this.#send(lane, request, signal), signal);
  }

  async #send(lane: Lane, { method, path, query, headers, body }: HttpRequest, signal: AbortSignal) {
    const credentials = await this.#credentials.current();
    const { server } = credentials;
    // The kubeconfig's server may have a path (a proxy such as Rancher's).
    const url = `${server.origin}${server.pathname.replace(/\/$/, '')}${path}${query && `?${query}`}`;
    return request(url, {
      dispatcher: this.#poolsFor(credentials).lanes[lane],
      method,
      headers: { ...headers, ...credentials.headers },
      body: body ?? null,
      signal,
      // Time is the caller's business: a watch may well be silent for a minute.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** The server did not accept our credentials: they are read again before the next call. Answers whether that can help. */
  distrustCredentials(): boolean {
    this.#credentials.forget();
    return true;
  }

  /** Watches are cut; other calls get `graceMs` to end. */
  async close(graceMs: number): Promise<void> {
    const pools = this.#pools;
    this.#pools = undefined;
    if (pools) await this.#closePools(pools, graceMs);
  }

  #poolsFor(credentials: Credentials): Pools {
    if (this.#pools?.tlsDigest !== credentials.tlsDigest) {
      const old = this.#pools;
      const make = (lane: Lane) => makeDispatcher(credentials.dispatcher, CONNECTIONS[lane]);
      const lanes = { ordinary: make('ordinary'), safety: make('safety'), watch: make('watch') };
      this.#pools = { tlsDigest: credentials.tlsDigest, lanes };
      if (old) void this.#closePools(old, 30_000);
    }
    return this.#pools as Pools;
  }

  async #closePools({ lanes }: Pools, graceMs: number): Promise<void> {
    const { watch, ...others } = lanes;
    const calls = Object.values(others);
    const closed = Promise.all([watch.destroy(), ...calls.map((pool) => pool.close())]);
    if (!(await settlesWithin(this.#clock, closed, graceMs))) await Promise.all(calls.map((pool) => pool.destroy()));
  }
}

function orAborted(answer: Promise<Dispatcher.ResponseData>, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      reject(signal.reason);
      // What comes all the same is read by nobody, and must not hold its connection.
      answer.then(
        ({ body }) => body.on('error', () => undefined).destroy(),
        () => undefined,
      );
    };
    if (signal.aborted) return giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

function makeDispatcher(how: Credentials['dispatcher'], connections: number | null): Dispatcher {
  const options = {
    connections,
    pipelining: 1,
    // One HTTP/2 connection for everything would let a lost packet, or a dead connection, hold up a rollback write.
    allowH2: false,
    // Below the 90 s after which the API server closes an idle connection.
    keepAliveTimeout: 60_000,
    keepAliveMaxTimeout: 60_000,
  };
  switch (how.type) {
    case 'agent':
      return new Agent({ ...options, connect: { ...how.connect, timeout: 5_000 } as object });
    case 'none':
      return new Agent({ ...options, connect: { timeout: 5_000 } });
    case 'proxy':
      return new ProxyAgent({ ...options, uri: how.uri, requestTls: how.requestTls as object });
    case 'socks':
      return new Socks5ProxyAgent(how.uri, { ...options, requestTls: how.requestTls as object });
  }
}
