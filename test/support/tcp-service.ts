import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** One address behind which operators come and go, as a Service does it; new connections go to `target`. */
export class TcpService {
  /** Port on loopback; undefined refuses. */
  target: number | undefined;
  /** Of what the next answers say, so much is passed on; then the connection breaks. */
  cutAfterBytes = Number.POSITIVE_INFINITY;
  /** Connections that were broken so. */
  cuts = 0;
  port = 0;
  readonly #sockets = new Set<Socket>();

  async start(): Promise<void> {
    const server = createServer((client) => this.#pass(client));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    this.port = (server.address() as AddressInfo).port;
    onTestFinished(() => {
      this.breakAll();
      server.close();
    });
  }

  /** As when a node is gone: what was open breaks. */
  breakAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #pass(client: Socket): void {
    this.#keep(client);
    if (this.target === undefined) {
      client.resetAndDestroy();
      return;
    }
    const upstream = this.#keep(connect(this.target, '127.0.0.1'));
    const limit = this.cutAfterBytes;
    let passed = 0;
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk: Buffer) => {
      client.write(chunk.subarray(0, Math.max(0, limit - passed)));
      passed += chunk.length;
      if (passed <= limit) return;
      this.cuts++;
      upstream.destroy();
      client.end();
    });
    upstream.on('close', () => client.end());
    client.on('close', () => upstream.destroy());
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => {}); // `close` follows
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
