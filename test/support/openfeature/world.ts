import type { BaseHook, EvaluationContext, EvaluationDetails, FlagValue, JsonValue } from '@openfeature/core';

/** States of a provider, as the scenarios name them. */
export type State = 'stable' | 'not ready' | 'error' | 'fatal' | 'stale';

/** Where a context can be given; a client may not have all of them. */
export type Level = 'API' | 'Transaction' | 'Client' | 'Invocation' | 'Before Hooks';

export interface Question {
  readonly type: 'boolean' | 'string' | 'number' | 'object';
  readonly key: string;
  readonly fallback: FlagValue;
}

/** What a scenario does with one of OpenFeature's SDKs and a provider. */
export interface World {
  /** Rejects where the provider has no such state. */
  register(state: State): Promise<void>;
  /** Throws where the SDK has no such level. */
  addContext(level: Level, entries: EvaluationContext): void;
  addHook(hook: BaseHook): void;
  /** `hooks` are of this evaluation alone. */
  evaluate(question: Question, hooks?: readonly BaseHook[]): Promise<EvaluationDetails<FlagValue>>;
  /** Whether the SDK answers by promises. */
  readonly isAsynchronous: boolean;
  status(): string;
  /** What was wrong with answers on the wire so far. */
  readonly wireProblems: readonly string[];
  close(): Promise<void>;
}

/** The method of a client that asks for details. */
export const methods = {
  boolean: 'getBooleanDetails',
  string: 'getStringDetails',
  number: 'getNumberDetails',
  object: 'getObjectDetails',
} as const satisfies Record<Question['type'], string>;

export type Details = EvaluationDetails<FlagValue>;
export type Json = JsonValue;
