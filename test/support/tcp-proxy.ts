import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Stands before ports of loopback, and is the network that fails. */
export class TcpProxy {
  /** `hang`: connections stay, and nothing passes any more; `refuse`: there are none. */
  #mode: 'pass' | 'hang' | 'refuse' = 'pass';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #pick: () => number;

  private constructor(pick: () => number) {
    this.#pick = pick;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** For the time of one test. `pick`: the port for each new connection. */
  static async start(pick: () => number): Promise<TcpProxy> {
    const proxy = new TcpProxy(pick);
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(async () => {
      proxy.set('refuse');
      proxy.#server.close();
      await once(proxy.#server, 'close');
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  set(mode: 'pass' | 'hang' | 'refuse'): void {
    this.#mode = mode;
    if (mode === 'refuse') for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    if (this.#mode === 'refuse') return void socket.destroy();
    const upstream = connect(this.#pick(), '127.0.0.1');
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (chunk) => this.#mode === 'pass' && to.write(chunk));
      from.on('error', () => {}); // `close` follows
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
