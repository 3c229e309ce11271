import type { ResolutionDetails } from '@openfeature/server-sdk';
import type { Answer, Assignment } from '../../core/evaluation/answer.ts';
import type { CompiledRuleset } from '../../core/evaluation/compile.ts';
import { evaluate } from '../../core/evaluation/evaluate.ts';
import { encodeExposureToken, unitHashOf } from '../../wire/exposure.ts';

/** What a method of the provider is asked. */
export interface Question<T> {
  readonly key: string;
  readonly defaultValue: T;
  readonly type: 'boolean' | 'string' | 'number' | 'object';
  readonly context: object;
}

/** The same answer as the evaluator's over OFREP; with the token of an exposure, which is told when it was shown. */
export function resolve<T>(
  compiled: CompiledRuleset,
  { key, defaultValue, type, context }: Question<T>,
  { nowMs, isStale }: { readonly nowMs: number; readonly isStale: boolean },
): ResolutionDetails<T> {
  const asked = contextAsJson(context);
  if (asked === undefined) return failure(defaultValue, 'INVALID_CONTEXT', 'the context is no JSON');
  const answer = evaluate(compiled, key, asked, nowMs);
  const flagMetadata = metadataOf(compiled, answer, isStale);
  switch (answer.kind) {
    case 'Failed':
      return failure(defaultValue, answer.errorCode, `${key}: ${answer.errorCode}`, flagMetadata);
    case 'Valueless':
      return { value: defaultValue, reason: answer.reason, flagMetadata };
    case 'Served': {
      const { value, variant, reason } = answer;
      if (typeof value !== type) {
        return failure(defaultValue, 'TYPE_MISMATCH', `${key} is no ${type}, but ${typeof value}`, flagMetadata);
      }
      // Answers share their objects; what the application does to its own must change nobody else's.
      const own = (type === 'object' ? structuredClone(value) : value) as T;
      return { value: own, variant, reason, flagMetadata };
    }
  }
}

export function failure<T>(
  value: T,
  errorCode: string,
  errorMessage: string,
  flagMetadata: ResolutionDetails<T>['flagMetadata'] = {},
): ResolutionDetails<T> {
  // The SDK's own type is an enum of these texts.
  const code = errorCode as NonNullable<ResolutionDetails<T>['errorCode']>;
  return { value, reason: 'ERROR', errorCode: code, errorMessage, flagMetadata };
}

/** The context as it would arrive over HTTP: dates as texts, no undefined, no NaN. Undefined for what cannot be sent. */
function contextAsJson(context: object): object | undefined {
  if (Object.values(context).every(isScalar)) return context;
  try {
    return JSON.parse(JSON.stringify(context));
  } catch {
    return undefined; // it contains itself, or a bigint
  }
}

const isScalar = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);

function metadataOf(
  compiled: CompiledRuleset,
  answer: Answer,
  isStale: boolean,
): Record<string, string | number | boolean> {
  const assignment = answer.kind === 'Served' ? answer.assignment : undefined;
  return {
    ...answer.metadata,
    ...(isStale && { stale: true }),
    ...(assignment && { exposureToken: tokenOf(compiled, assignment) }),
  };
}

function tokenOf({ unitHashSalt, revision }: CompiledRuleset, { experiment, phase, arm, unit }: Assignment): string {
  return encodeExposureToken({ experiment, phase, arm, unitHash: unitHashOf(unitHashSalt, unit), revision });
}
