import type { EvaluationContext, Provider, ResolutionDetails } from '@openfeature/server-sdk';
import { type EvaluationFlagValue, handleEvaluationError, OFREPApi, toResolutionDetails } from 'ofrep-core-2';

/** The thinnest provider over ofrep-core 2.3, whose own server provider npm does not have yet. */
export function ofrepCoreProvider(baseUrl: string, fetchImplementation: typeof fetch): Provider {
  const api = new OFREPApi({ baseUrl }, fetchImplementation);
  const resolve = async <T extends EvaluationFlagValue>(
    key: string,
    fallback: T,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<T>> => {
    const answer = await api.postEvaluateFlag(key, { context });
    if (answer.httpStatus === 200) return toResolutionDetails(answer.value, fallback) as ResolutionDetails<T>;
    return handleEvaluationError(answer.value, fallback) as ResolutionDetails<T>;
  };
  return {
    metadata: { name: 'ofrep-core' },
    runsOn: 'server',
    resolveBooleanEvaluation: resolve,
    resolveStringEvaluation: resolve,
    resolveNumberEvaluation: resolve,
    resolveObjectEvaluation: resolve,
  };
}
