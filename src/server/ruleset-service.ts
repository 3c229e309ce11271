import type { AddressInfo } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { KubeClient } from '../kube/client.ts';
import { Authoriser } from '../rulesets/authoriser.ts';
import { RulesetHub } from '../rulesets/hub.ts';
import { streamServer } from '../rulesets/stream-server.ts';
import type { LeadersHub, SharedRulesets } from './shared-rulesets.ts';
import { tokenReviewer } from './token-reviewer.ts';

/** For 512 MiB, a quarter of it for streams of about 25 KiB each. */
const LIMITS = { streams: 5_000, bodyBytes: 32 * 1_048_576 };

export interface RulesetServicePorts {
  /** With connections of its own, so that reviews never stand in the way of a rollback. */
  readonly client: Pick<KubeClient, 'raw'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where all replicas serve. */
  readonly shared?: SharedRulesets | undefined;
}

/** The stream of rulesets in every replica; without Redis only the one that leads has a hub behind it. */
export class RulesetService {
  readonly #ports: RulesetServicePorts;
  readonly #app: ReturnType<typeof streamServer>;
  #hub: RulesetHub | undefined;

  constructor(ports: RulesetServicePorts) {
    this.#ports = ports;
    const { client, clock, logger } = ports;
    const authoriser = new Authoriser(tokenReviewer(client), clock);
    this.#app = streamServer({ hub: () => this.#present, authoriser, clock, logger }, LIMITS);
  }

  /** Evaluators that are connected here. */
  get subscribers(): number {
    return this.#present?.subscribers ?? 0;
  }

  get #present(): RulesetHub | undefined {
    return this.#ports.shared ? this.#ports.shared.hub : this.#hub;
  }

  /** Answers the port, which matters where 0 was asked for. */
  async start({ host, port }: { readonly host: string; readonly port: number }): Promise<number> {
    await this.#app.listen({ host, port });
    this.#ports.shared?.start();
    return (this.#app.server.address() as AddressInfo).port;
  }

  /** From now until `follow`. */
  lead(onReach: (flagSetId: string) => void): LeadersHub {
    if (this.#ports.shared) return this.#ports.shared.lead(onReach);
    this.#hub?.close();
    this.#hub = new RulesetHub({ clock: this.#ports.clock, onReach });
    return this.#hub;
  }

  /** Ends all streams, unless all replicas serve; whoever comes is sent to look for the leader. */
  follow(): void {
    this.#ports.shared?.follow();
    this.#hub?.close();
    this.#hub = undefined;
  }

  async stop(): Promise<void> {
    this.follow();
    await this.#ports.shared?.stop();
    await this.#app.close();
  }
}
