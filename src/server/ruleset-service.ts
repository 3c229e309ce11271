import type { AddressInfo } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { KubeClient } from '../kube/client.ts';
import { Authoriser } from '../rulesets/authoriser.ts';
import { RulesetHub } from '../rulesets/hub.ts';
import { reloadTls, type StreamServer, type StreamTls, streamServer } from '../rulesets/stream-server.ts';
import { tokenReviewer } from './token-reviewer.ts';

/** Of one evaluator: a stream and its acknowledgements, two connections by TLS (docs/decisions/0182). */
const BYTES_PER_STREAM = 160 * 1_024;
const MAX_STREAMS = 10_000;
const BODY_BYTES = 32 * 1_048_576;

/** How many evaluators one replica serves: half of its memory's limit is for them. 1,638 with 512 MiB. */
export function streamsWithin(limitBytes: number): number {
  // Without a limit the system says 0, or more than any machine has.
  if (limitBytes <= 0) return MAX_STREAMS;
  return Math.min(MAX_STREAMS, Math.floor(limitBytes / 2 / BYTES_PER_STREAM));
}

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
    const limits = { streams: streamsWithin(process.constrainedMemory()), bodyBytes: BODY_BYTES };
    const app = streamServer({ hub: () => this.#hub, authoriser, clock, logger }, limits, tls);
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
