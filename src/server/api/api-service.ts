import type { AddressInfo } from 'node:net';
import type { Server } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { TlsPair } from '../../kube/webhook-server.ts';
import { apiServer } from './api-server.ts';
import type { ApiLimits, ApiPorts } from './gate.ts';

/** An answer may take 4 MiB and several times that in memory: of 512 MiB, a quarter. */
const LIMITS: ApiLimits = {
  requests: 128,
  bodyBytes: 16 * 1_048_576,
  documents: 32,
  answerBytes: 32 * 1_048_576,
  calls: 8,
  rates: { perSecond: 20, burst: 100, callers: 2_000 },
};
const MAX_CONNECTIONS = 1_000;
/** For what is under way when it ends. */
const STOP_MS = 2_000;

/** The HTTP API of one replica. Every replica serves it: it keeps nothing. */
export class ApiService {
  readonly #ports: ApiPorts;
  readonly #limits: ApiLimits;
  #app: FastifyInstance | undefined;

  constructor(ports: ApiPorts, limits: ApiLimits = LIMITS) {
    this.#ports = ports;
    this.#limits = limits;
  }

  /** Answers the port, which matters where 0 was asked for. */
  async start({ host, port }: { readonly host: string; readonly port: number }, tls: TlsPair): Promise<number> {
    this.#app = apiServer(this.#ports, this.#limits, tls);
    this.#app.server.maxConnections = MAX_CONNECTIONS;
    await this.#app.listen({ host, port });
    return (this.#app.server.address() as AddressInfo).port;
  }

  /** New connections get this certificate; those that are open go on. */
  reload(tls: TlsPair): void {
    (this.#app?.server as unknown as Server | undefined)?.setSecureContext({ ...tls, minVersion: 'TLSv1.2' });
  }

  /** Takes no more connections, and cuts what has not ended after 2 s. */
  async stop(): Promise<void> {
    const app = this.#app;
    if (!app) return;
    const giveUp = this.#ports.clock.after(STOP_MS, () => app.server.closeAllConnections());
    await app.close();
    giveUp();
  }
}
