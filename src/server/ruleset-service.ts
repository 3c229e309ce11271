import type { AddressInfo } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { KubeClient } from '../kube/client.ts';
import { Authoriser } from '../rulesets/authoriser.ts';
import { RulesetHub } from '../rulesets/hub.ts';
import { reloadTls, type StreamServer, type StreamTls, streamServer } from '../rulesets/stream-server.ts';
import { tokenReviewer } from './token-reviewer.ts';

/** For 512 MiB, a quarter of it for streams of about 25 KiB each. */
const LIMITS = { streams: 5_000, bodyBytes: 32 * 1_048_576 };

export interface RulesetServicePorts {
  /** With connections of its own, so that reviews never stand in the way of a rollback. */
  readonly client: Pick<KubeClient, 'raw'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The stream of rulesets in every replica; only the one that leads has a hub behind it. */
export class RulesetService {
  readonly #ports: RulesetServicePorts;
  #app: StreamServer | undefined;
  #hub: RulesetHub | undefined;

  constructor(ports: RulesetServicePorts) {
    this.#ports = ports;
  }

  /** Evaluators that are connected here. */
  get subscribers(): number {
    return this.#hub?.subscribers ?? 0;
  }

  /** Answers the port, which matters where 0 was asked for. */
  async start({ host, port }: { readonly host: string; readonly port: number }, tls: StreamTls): Promise<number> {
    const { client, clock, logger } = this.#ports;
    const authoriser = new Authoriser(tokenReviewer(client), clock);
    const app = streamServer({ hub: () => this.#hub, authoriser, clock, logger }, LIMITS, tls);
    this.#app = app;
    await app.listen({ host, port });
    return (app.server.address() as AddressInfo).port;
  }

  /** New connections get this certificate; those that are open go on. */
  reload(tls: StreamTls): void {
    if (this.#app) reloadTls(this.#app, tls);
  }

  /** From now until the hub is closed by `follow`. */
  lead(onReach: (flagSetId: string) => void): RulesetHub {
    this.#hub?.close();
    this.#hub = new RulesetHub({ clock: this.#ports.clock, onReach });
    return this.#hub;
  }

  /** Ends all streams; whoever comes is sent to look for the leader. */
  follow(): void {
    this.#hub?.close();
    this.#hub = undefined;
  }

  async stop(): Promise<void> {
    this.follow();
    await this.#app?.close();
  }
}
