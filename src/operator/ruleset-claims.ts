import { claimSnapshot } from '../controllers/feature-flag/snapshot-store.ts';
import type { FlagSources } from '../controllers/feature-flag/sources.ts';
import { isNotFound } from '../kube/kube-error.ts';
import type { Surroundings } from './surroundings.ts';

type Ports = Pick<Surroundings, 'client' | 'logger'> & Pick<FlagSources, 'snapshots'>;

/** Claims that are carried out at once, and that wait: who reaches the webhook can ask for any namespace, as often as they like. */
const AT_ONCE = 2;
const MAX_WAITING = 1_000;

/** Sees to it that namespaces have a ruleset, whether they have flags or not: evaluators, such as those of gateways in ours, find it. */
export class RulesetClaims {
  readonly #ports: Ports;
  readonly #signal: AbortSignal;
  readonly #waiting = new Set<string>();
  #underWay = 0;

  constructor(ports: Ports, signal: AbortSignal) {
    this.#ports = ports;
    this.#signal = signal;
  }

  /** Never waits and never throws. Beyond 1,000 namespaces that wait it does nothing: the next pod asks again. */
  add(flagSet: string): void {
    if (this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.add(flagSet);
    if (this.#underWay < AT_ONCE) void this.#work();
  }

  async #work(): Promise<void> {
    const { client, snapshots, logger } = this.#ports;
    this.#underWay += 1;
    for (const flagSet of this.#waiting) {
      this.#waiting.delete(flagSet);
      await claimSnapshot({ client, snapshots }, flagSet, this.#signal).catch((err) => {
        if (this.#signal.aborted) return;
        // Namespaces come and go, and not all that are asked for were ever there.
        logger[isNotFound(err) ? 'debug' : 'warn']({ err, flagSet }, 'the ruleset of a namespace was not begun');
      });
    }
    this.#underWay -= 1;
  }
}
