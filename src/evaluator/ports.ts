import type { FastifyInstance } from 'fastify';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Assignment } from '../core/evaluation/answer.ts';
import type { HeldRuleset, RulesetHolder } from '../rulesets/holder.ts';
import type { KeyRing } from '../rulesets/source.ts';
import type { EvaluationCounts } from './evaluation-counts.ts';
import type { EventStreams } from './event-stream.ts';

/** What becomes of exposures and metric events. */
export interface Events {
  /** Adds `POST /exposures` and `POST /metrics`; limits and the form of errors are the server's. */
  registerEvents(app: FastifyInstance): void;
  /** An experiment answered a single evaluation: who asked is about to see it. */
  exposed(flag: string, assignment: Assignment, held: HeldRuleset): void;
}

/** Everything that the endpoints touch. */
export interface EvaluatorPorts {
  readonly holder: RulesetHolder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counts: EvaluationCounts;
  readonly streams: EventStreams;
  readonly events: Events | undefined;
  /** Whom rulesets must be signed by; left out: anybody, or nobody. */
  readonly publicKeys?: KeyRing | undefined;
}
