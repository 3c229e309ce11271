import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Answer, Assignment } from '../core/evaluation/answer.ts';
import type { CompiledRuleset } from '../core/evaluation/compile.ts';
import type { HeldRuleset, RulesetHolder } from '../rulesets/holder.ts';
import type { KeyRing } from '../rulesets/source.ts';
import type { EvaluationCounts } from './evaluation-counts.ts';
import type { EventStreams } from './event-stream.ts';
import type { EventKind } from './events/queued-event.ts';

/** What becomes of exposures and metric events. */
export interface Events {
  /** Adds `POST /exposures` or `POST /metrics` or both; limits and the form of errors are the server's. */
  registerEvents(app: FastifyInstance, kinds: readonly EventKind[]): void;
  /** An experiment answered a single evaluation: who asked is about to see it. */
  exposed(flag: string, assignment: Assignment, held: HeldRuleset): void;
}

/** Spans of requests. */
export interface Tracing {
  /** Makes a span of each request that comes to `app`; before the other hooks. */
  traceRequests(app: FastifyInstance): void;
  /** Says in the span which ruleset answers. */
  answeredBy(request: FastifyRequest, compiled: CompiledRuleset): void;
  /** Says in the span what one flag answered. */
  evaluated(request: FastifyRequest, key: string, answer: Answer): void;
}

/** What answers now. */
export type Holding = Pick<RulesetHolder, 'current' | 'stale' | 'expired'>;

/** Everything that the endpoints touch. */
export interface AnswerPorts {
  readonly holder: Holding;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counts: EvaluationCounts;
  readonly streams: EventStreams;
  readonly events: Events | undefined;
  /** Undefined: not asked for, so that nothing of it is loaded. */
  readonly tracing?: Tracing | undefined;
}

export interface EvaluatorPorts extends AnswerPorts {
  readonly holder: RulesetHolder;
  /** Whom rulesets must be signed by; left out: anybody, or nobody. */
  readonly publicKeys?: KeyRing | undefined;
}
