import type { DurationMs, EpochMs } from '../../base/units.ts';
import type { GuardrailRule, Sample, SampleAnswer } from '../../core/guardrails/judge.ts';
import { type Schedule, timeoutOf } from '../../providers/polling.ts';
import type { Answer, MetricProvider } from '../../providers/provider.ts';
import { parseTemplate, renderTemplate, type TemplateValues } from '../../providers/template.ts';
import type { Question } from './guardrail-rules.ts';

/** Whom a question is about. */
export interface Subject {
  readonly namespace: string;
  readonly rollout: string;
  readonly service: string;
  readonly canaryHash: string;
  readonly stableHash: string;
}

/** The questions of one guardrail, rendered: the value, the same of stable where it is compared, and the number of requests. */
export interface Asked {
  readonly value: string;
  readonly stable?: string;
  readonly requests?: string;
}

/** Renders a guardrail's queries; a template that cannot be rendered is a mistake in the spec, in a sentence. */
export function render({ rule, query }: Question, subject: Subject): Asked | { readonly mistake: string } {
  const { guardrail, bounds, windowMs } = rule;
  const own = guardrail.scope === 'Stable' ? subject.stableHash : subject.canaryHash;
  const values: TemplateValues = { ...subject, canaryHash: own, window: windowMs };
  const ofStable: TemplateValues = { ...values, canaryHash: subject.stableHash };
  const value = renderOne(query.query, values);
  const stable = bounds.maxIncreaseOverStable === undefined ? undefined : renderOne(query.query, ofStable);
  const requests = query.requestsQuery === undefined ? undefined : renderOne(query.requestsQuery, values);
  for (const text of [value, stable, requests]) if (typeof text === 'object') return text;
  return {
    value: value as string,
    ...(stable === undefined ? {} : { stable: stable as string }),
    ...(requests === undefined ? {} : { requests: requests as string }),
  };
}

function renderOne(text: string, values: TemplateValues): string | { readonly mistake: string } {
  const template = parseTemplate(text);
  if (template.kind === 'Template') return renderTemplate(template, values);
  const [problem] = template.problems;
  return { mistake: `line ${problem?.line}, column ${problem?.column}: ${problem?.message}` };
}

/** Asks everything that one sample needs, at one instant. */
export async function takeSample(
  provider: MetricProvider,
  { rule, query }: Question,
  asked: Asked,
  { at, owner, schedule }: { readonly at: EpochMs; readonly owner: string; readonly schedule: Schedule },
  signal: AbortSignal,
): Promise<Sample> {
  const timeoutMs: DurationMs = timeoutOf(schedule, query.timeout);
  const ask = (text: string | undefined) =>
    text === undefined ? undefined : provider.query({ text, at, timeoutMs, owner }, signal);
  const [value, stable, requests] = await Promise.all([ask(asked.value), ask(asked.stable), ask(asked.requests)]);
  return { at, answer: combine(rule, value, stable, requests) };
}

/** One answer out of up to three. A provider that fails for any of them has failed. */
function combine(
  rule: GuardrailRule,
  value: Answer | undefined,
  stable: Answer | undefined,
  requests: Answer | undefined,
): SampleAnswer {
  const all = [value, stable, requests].filter((answer) => answer !== undefined);
  for (const answer of all) {
    if (answer.kind === 'ProviderDown') return { kind: 'ProviderDown', reason: answer.cause, message: answer.message };
    if (answer.kind === 'BadQuery' || answer.kind === 'SeveralSeries')
      return { kind: 'BadQuery', message: answer.message };
  }
  if (value?.kind !== 'Value') return silent(value, 'the query');
  const warning = all.flatMap((answer) => warningsOf(answer))[0];
  const rest = {
    ...(requests === undefined ? {} : { requests: requests.kind === 'Value' ? requests.value : 0 }),
    ...(warning === undefined ? {} : { warning }),
  };
  if (rule.bounds.maxIncreaseOverStable === undefined) return { kind: 'Value', value: value.value, ...rest };
  if (stable?.kind === 'Value') return { kind: 'Value', value: value.value, stable: stable.value, ...rest };
  // The other bounds can be judged without stable; the comparison cannot.
  const broken =
    (rule.bounds.max !== undefined && value.value > rule.bounds.max) ||
    (rule.bounds.min !== undefined && value.value < rule.bounds.min);
  return broken
    ? { kind: 'Value', value: value.value, ...rest }
    : { ...silent(stable, 'the query for stable'), reason: 'NoStableValue' };
}

/** Prometheus' infos are hints on style; its warnings say that the result may be incomplete. */
const warningsOf = (answer: Answer): readonly string[] => ('remarks' in answer ? answer.remarks.warnings : []);

function silent(answer: Answer | undefined, what: string): Extract<SampleAnswer, { kind: 'NoEvidence' }> {
  if (answer?.kind === 'NotANumber')
    return { kind: 'NoEvidence', reason: 'NotANumber', message: `${what} answered ${answer.text}${because(answer)}` };
  return { kind: 'NoEvidence', reason: 'EmptyResult', message: `${what} answered nothing${because(answer)}` };
}

function because(answer: Answer | undefined): string {
  const [warning] = answer ? warningsOf(answer) : [];
  return warning === undefined ? '' : `; ${warning}`;
}
