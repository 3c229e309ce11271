import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { DurationMs } from '../base/units.ts';
import type { RulesetHolder } from '../rulesets/holder.ts';

export interface ReadinessPorts {
  readonly holder: Pick<RulesetHolder, 'current' | 'expired'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ready without a ruleset after so long; undefined: never. */
  readonly readyWithoutAfterMs: DurationMs | undefined;
}

/**
 * Why an evaluator is not ready, or undefined. It is once a ruleset answers; or when none came for so long that what waits for it
 * had better go on with the defaults in its code.
 */
export class Readiness {
  readonly #holder: ReadinessPorts['holder'];
  readonly #cancel: () => void;
  #isTired = false;

  constructor({ holder, clock, logger, readyWithoutAfterMs }: ReadinessPorts) {
    this.#holder = holder;
    const giveUp = () => {
      this.#isTired = true;
      if (this.#holder.current === undefined)
        logger.warn({}, 'ready without a ruleset: applications get the defaults in their code');
    };
    this.#cancel = readyWithoutAfterMs === undefined ? () => {} : clock.after(readyWithoutAfterMs, giveUp);
  }

  get why(): string | undefined {
    if (this.#holder.expired) return 'the operator was not heard for longer than --fail-closed-after';
    return this.#holder.current === undefined && !this.#isTired ? 'no ruleset yet' : undefined;
  }

  stop(): void {
    this.#cancel();
  }
}
