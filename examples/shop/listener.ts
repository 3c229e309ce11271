import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ShopApp } from './app.ts';
import type { ShopSettings } from './settings.ts';

/** Longest wait for requests in flight once listening has ended. */
const LAST_ANSWERS_MS = 10_000;

/** The shop on its port, from `start` to `stop`. HTTP/1.1 alone: docs/decisions/0081. */
export class ShopListener {
  readonly #app: ShopApp;
  readonly #server: Server;

  constructor(settings: ShopSettings, random?: () => number) {
    this.#app = new ShopApp(settings, random);
    this.#server = createServer((request, response) => {
      // The only failure is a client that left in the middle of its body: nobody waits for the answer.
      this.#app.handle(request, response).catch(() => response.destroy());
    });
    // Idle connections are the gateway's to close. A server that closes them by a timeout of its own meets, now and
    // then, a request that is already on its way (Node's default is 5 s, Envoy keeps idle connections for an hour).
    this.#server.keepAliveTimeout = 0;
  }

  /** Resolves to the port in use; 0 takes a free one. */
  start(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  openConnections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  /**
   * Serves on until `drained`, while readiness fails and every connection is asked to end after its next answer;
   * then listens no more and resolves when the last request in flight has its answer.
   */
  async stop(drained: Promise<unknown>): Promise<void> {
    this.#app.draining = true;
    await drained;
    const cutOff = setTimeout(() => this.#server.closeAllConnections(), LAST_ANSWERS_MS);
    await new Promise((resolve) => this.#server.close(resolve));
    clearTimeout(cutOff);
  }
}
