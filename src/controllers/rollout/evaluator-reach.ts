import { isSameForm } from '../../core/flags/compile-flags.ts';
import type { EvaluatorsSeen } from '../../core/rollout/sticky-seen.ts';
import type { Flag } from '../../wire/flag.ts';
import type { Ruleset } from '../../wire/ruleset.ts';

/** Of each connected evaluator of the gateway: the revision that it runs, -1 while it has said nothing. */
type Running = () => readonly number[];

interface Form {
  readonly flag: Flag;
  /** The first revision that says this. */
  readonly since: number;
}

/**
 * Who of the gateway's evaluators runs what of each Rollout. Kept by flag, not by revision: a step of one Rollout must not
 * count as news for all others. Knows nothing while another replica leads.
 */
export class EvaluatorReach {
  #running: Running = () => [];
  #forms: ReadonlyMap<string, Form> = new Map();

  /** From now on this replica publishes. */
  lead(running: Running): void {
    this.#running = running;
    this.#forms = new Map();
  }

  follow(): void {
    this.lead(() => []);
  }

  /** The ruleset that the gateway's evaluators are given now. */
  published({ revision, flags }: Ruleset): void {
    const before = this.#forms;
    this.#forms = new Map(
      Object.entries(flags).map(([key, flag]): [string, Form] => {
        const known = before.get(key);
        return [key, known && isSameForm(known.flag, flag) ? known : { flag, since: revision }];
      }),
    );
  }

  /** How many listen, and how many of them run `flag` under this key. */
  of(key: string, flag: Flag): EvaluatorsSeen {
    const revisions = this.#running();
    const form = this.#forms.get(key);
    const isPublished = form !== undefined && isSameForm(form.flag, flag);
    const running = isPublished ? revisions.filter((revision) => revision >= form.since).length : 0;
    return { listening: revisions.length, running };
  }
}
