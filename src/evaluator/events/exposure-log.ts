import type { Clock } from '../../base/clock.ts';
import type { Assignment } from '../../core/evaluation/answer.ts';
import { type Exposure, exposureId, unitHashOf } from '../../wire/exposure.ts';
import type { EventRuleset } from './evaluator-ruleset.ts';
import type { EventCounters } from './event-counters.ts';
import type { EventIntake } from './event-intake.ts';

export interface ExposureLogPorts {
  readonly intake: EventIntake;
  readonly clock: Clock;
  readonly counters: EventCounters;
}

/** Logs what single evaluations have shown: each experiment, phase, unit and arm once. */
export class ExposureLog {
  readonly #ports: ExposureLogPorts;

  constructor(ports: ExposureLogPorts) {
    this.#ports = ports;
  }

  /**
   * A single evaluation of `flag` was answered by an experiment, and was not asked with `Sluice-Exposure: none`. Returns at
   * once and never throws; an exposure for which there is no room is counted, and logged at the unit's next evaluation.
   */
  exposed(flag: string, { experiment, phase, arm, unit }: Assignment, ruleset: EventRuleset): void {
    const { intake, clock, counters } = this.#ports;
    const { flagSetId, revision, unitHashSalt } = ruleset;
    const assigned = { experiment, phase, arm, unitHash: unitHashOf(unitHashSalt, unit) };
    const id = exposureId(assigned);
    if (intake.has('exposure', id)) return;
    const time = new Date(clock.now()).toISOString();
    const event: Exposure = { id, flagSetId, flag, ...assigned, revision, time };
    intake.submit([{ kind: 'exposure', event }]).catch(() => counters.dropped('Unwritten', 1));
  }
}
