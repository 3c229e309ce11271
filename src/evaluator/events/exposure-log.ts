import type { Clock } from '../../base/clock.ts';
import type { Answer, Assignment } from '../../core/evaluation/answer.ts';
import { type Exposure, encodeExposureToken, exposureId, unitHashOf } from '../../wire/exposure.ts';
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
   * To be called with each answer to a single evaluation of `flag` that was not asked with `Sluice-Exposure: none`. Returns
   * at once and never throws; an exposure for which there is no room is counted, and logged at the unit's next evaluation.
   */
  answered(ruleset: EventRuleset, flag: string, answer: Answer): void {
    const assignment = assignmentOf(answer);
    if (assignment === undefined) return;
    const { intake, clock, counters } = this.#ports;
    const assigned = hashed(ruleset, assignment);
    const id = exposureId(assigned);
    if (intake.has('exposure', id)) return;
    const time = new Date(clock.now()).toISOString();
    const event: Exposure = { id, flagSetId: ruleset.flagSetId, flag, ...assigned, time };
    intake.submit([{ kind: 'exposure', event }]).catch(() => counters.dropped('Unwritten', 1));
  }
}

/**
 * What an answer of a bulk evaluation, `POST /evaluate` or ext_authz carries for `POST /exposures`; undefined when the answer
 * exposes nothing.
 */
export function exposureTokenOf(ruleset: EventRuleset, answer: Answer): string | undefined {
  const assignment = assignmentOf(answer);
  return assignment && encodeExposureToken(hashed(ruleset, assignment));
}

/** Whether a request with this value of the header `Sluice-Exposure` is to be logged. */
export function wantsExposure(header: string | readonly string[] | undefined): boolean {
  return (
    String(header ?? '')
      .trim()
      .toLowerCase() !== 'none'
  );
}

/** Who was assigned what, if an experiment did it. */
function assignmentOf(answer: Answer): Assignment | undefined {
  return answer.kind === 'Served' ? answer.assignment : undefined;
}

function hashed({ unitHashSalt, revision }: EventRuleset, { experiment, phase, arm, unit }: Assignment) {
  return { experiment, phase, arm, unitHash: unitHashOf(unitHashSalt, unit), revision };
}
