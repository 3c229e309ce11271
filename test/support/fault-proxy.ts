import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

export interface Seen {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly isWatch: boolean;
  readonly authorization: string | undefined;
}

/** What happens to one request instead of being passed on faithfully. */
export type Fault =
  | { readonly answer: number; readonly headers?: Record<string, string>; readonly body?: object }
  /** The connection breaks: before the API server saw the request, or after it acted on it and before its answer. */
  | { readonly reset: 'before' | 'after' }
  /** The connection breaks once this much of the answer's body was passed on. */
  | { readonly cutAfterBytes: number }
  /** The request is passed on after this long, unless the client has given it up by then. */
  | { readonly delayMs: number }
  /** Nothing is passed on and nothing ends. */
  | { readonly hang: true };

/** Stands between a client and the real API server on loopback, speaks plain HTTP to the client, and breaks what it is told to. */
export class FaultProxy {
  /** Decides over every request; `undefined` passes it on. */
  fault: (seen: Seen) => Fault | undefined = () => undefined;
  /** Every request since the start, or since the test emptied it. */
  readonly seen: Seen[] = [];
  /** Connections that clients opened since the start. */
  connections = 0;
  readonly #server: Server;
  readonly #upstream: URL;
  readonly #tls: RequestOptions;
  readonly #watches = new Set<ServerResponse>();
  readonly #hushed = new Set<ServerResponse>();

  private constructor(upstream: URL, tls: RequestOptions) {
    this.#upstream = upstream;
    this.#tls = { ...tls, agent: new Agent({ keepAlive: true }) };
    this.#server = createServer((incoming, outgoing) => this.#handle(incoming, outgoing));
    this.#server.on('connection', () => {
      this.connections += 1;
    });
  }

  static async start(config: KubeConfig): Promise<FaultProxy> {
    const tls: RequestOptions = {};
    await config.applyToHTTPSOptions(tls);
    const { ca, cert, key } = tls;
    const proxy = new FaultProxy(new URL(config.getCurrentCluster()!.server), { ca, cert, key } as RequestOptions);
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  /** Leads a client to the proxy. */
  get config(): KubeConfig {
    const config = new KubeConfig();
    const { port } = this.#server.address() as AddressInfo;
    const server = `http://127.0.0.1:${port}`;
    config.loadFromClusterAndUser({ name: 'proxy', server, skipTLSVerify: true }, { name: 'nobody' });
    return config;
  }

  /** Watches that are open now. */
  get watches(): number {
    return this.#watches.size;
  }

  cutWatches(): void {
    for (const watch of this.#watches) watch.socket?.destroy();
  }

  /** Breaks every connection, also of requests that hang. */
  dropAll(): void {
    this.#server.closeAllConnections();
  }

  /** The open watches stay open and say nothing any more. */
  hushWatches(): void {
    for (const watch of this.#watches) this.#hushed.add(watch);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    (this.#tls.agent as Agent).destroy();
    await once(this.#server, 'close');
  }

  #handle(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method = '', url = '' } = incoming;
    const seen = { method, url, isWatch: url.includes('watch=true'), authorization: incoming.headers.authorization };
    this.seen.push(seen);
    const fault = this.fault(seen);
    const socket = incoming.socket as Socket;
    if (fault && 'hang' in fault) return;
    if (fault && 'delayMs' in fault) {
      const timer = setTimeout(() => this.#pass(incoming, outgoing, seen, undefined), fault.delayMs);
      outgoing.once('close', () => clearTimeout(timer));
      return;
    }
    if (fault && 'reset' in fault && fault.reset === 'before') {
      socket.resetAndDestroy();
    } else if (fault && 'answer' in fault) {
      outgoing.writeHead(fault.answer, { 'content-type': 'application/json', ...fault.headers });
      outgoing.end(
        JSON.stringify(fault.body ?? { kind: 'Status', code: fault.answer, message: 'a fault of the test' }),
      );
      incoming.resume();
    } else {
      this.#pass(incoming, outgoing, seen, fault);
    }
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse, seen: Seen, fault: Fault | undefined): void {
    const { method, headers, url } = incoming;
    const { hostname, port } = this.#upstream;
    const forward = request({ ...this.#tls, hostname, port, method, path: url, headers }, (answer) => {
      if (fault && 'reset' in fault) return void (incoming.socket as Socket).resetAndDestroy();
      if (seen.isWatch) this.#watches.add(outgoing);
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      let bytes = 0;
      const limit = fault && 'cutAfterBytes' in fault ? fault.cutAfterBytes : Number.POSITIVE_INFINITY;
      answer.on('data', (chunk: Buffer) => {
        if (this.#hushed.has(outgoing)) return;
        outgoing.write(chunk.subarray(0, Math.max(0, limit - bytes)));
        bytes += chunk.length;
        if (bytes > limit) setImmediate(() => incoming.socket.destroy());
      });
      answer.on('end', () => this.#hushed.has(outgoing) || outgoing.end());
      answer.on('error', () => outgoing.destroy());
    });
    forward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => {
      this.#watches.delete(outgoing);
      this.#hushed.delete(outgoing);
      forward.destroy();
    });
    incoming.pipe(forward);
  }
}
