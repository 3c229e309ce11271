import type { Guardrail } from '../../api/guardrail.ts';
import type { MetricSpec, PrometheusQuery } from '../../api/metric.ts';
import type { RolloutSpec } from '../../api/rollout.ts';
import { defaultWindow } from '../../api/window.ts';
import type { GuardrailRule } from '../../core/guardrails/judge.ts';
import { parsedMetric } from './parsed.ts';
import { mistakeOf } from './query-text.ts';
import type { CustomObject, Sources } from './sources.ts';

/** A guardrail with the question that it asks and where the credentials for it live. */
export interface Question {
  readonly rule: GuardrailRule;
  readonly query: PrometheusQuery;
  /** Namespace of the Secrets that the query names: that of the Metric, or of the Rollout for a query of its own. */
  readonly namespace: string;
}

/**
 * The guardrails of a Rollout with what their Metrics contribute. One whose Metric is missing or invalid now, or whose query
 * cannot be read, goes on as it was when it last could be used (`lastUsable`, by name); `findProblems` names it.
 */
export function questionsOf(
  sources: Sources,
  rollout: CustomObject,
  spec: RolloutSpec,
  lastUsable: Map<string, Question>,
): Question[] {
  const guardrails = guardrailsOf(sources, spec);
  const names = new Set(guardrails.map(({ name }) => name));
  for (const name of lastUsable.keys()) if (!names.has(name)) lastUsable.delete(name);
  return guardrails.flatMap((guardrail) => {
    const question = questionOf(sources, rollout, guardrail);
    if (question && mistakeOf(question.query).mistake === undefined) lastUsable.set(guardrail.name, question);
    return lastUsable.get(guardrail.name) ?? question ?? [];
  });
}

/** A namespace's own Metric wins over a preset of the same name. */
export function metricNamed(sources: Sources, rollout: CustomObject, name: string): CustomObject | undefined {
  return (
    sources.metrics.get({ namespace: rollout.metadata.namespace, name }) ??
    sources.metrics.get({ namespace: sources.presetNamespace, name })
  );
}

/** The Rollout's own guardrails, and those of the platform whose names it does not use. */
export function guardrailsOf(
  { defaultGuardrails }: Pick<Sources, 'defaultGuardrails'>,
  { guardrails }: RolloutSpec,
): Guardrail[] {
  const own = new Set(guardrails.map(({ name }) => name));
  return [...guardrails, ...defaultGuardrails.filter(({ name }) => !own.has(name))];
}

function questionOf(sources: Sources, rollout: CustomObject, guardrail: Guardrail): Question | undefined {
  const { namespace = '' } = rollout.metadata;
  if (guardrail.query)
    return { rule: ruleOf(guardrail, guardrail.query, undefined), query: guardrail.query, namespace };
  const object = metricNamed(sources, rollout, guardrail.metric ?? '');
  const parsed = object && parsedMetric(object);
  if (!parsed?.ok) return undefined;
  const { spec } = parsed.metric;
  return {
    rule: ruleOf(guardrail, spec.provider.prometheus, spec),
    query: spec.provider.prometheus,
    namespace: object?.metadata.namespace ?? namespace,
  };
}

function ruleOf(guardrail: Guardrail, query: PrometheusQuery, metric: MetricSpec | undefined): GuardrailRule {
  const { max, min, maxIncreaseOverStable } = guardrail;
  const own = max !== undefined || min !== undefined || maxIncreaseOverStable !== undefined;
  return {
    guardrail,
    direction: metric?.direction ?? 'LowerIsBetter',
    bounds: own ? { max, min, maxIncreaseOverStable } : (metric?.defaultBounds ?? {}),
    windowMs: guardrail.window ?? metric?.window ?? defaultWindow(query),
  };
}
