import type { DurationMs, EpochMs } from '../../base/units.ts';
import type { GuardrailRule, Sample, SampleAnswer } from '../../core/guardrails/judge.ts';
import { type Schedule, timeoutOf } from '../../providers/polling.ts';
import type { Answer, MetricProvider } from '../../providers/provider.ts';
import { renderTemplate, type TemplateValues } from '../../providers/template.ts';
import type { Question } from './guardrail-rules.ts';
import { readQuery } from './query-text.ts';

/** Whom a question is about. */
export interface Subject {
  readonly namespace: string;
  readonly rollout: string;
  readonly service: string;
  readonly canaryHash: string;
  readonly stableHash: string;
  /** Stable serves users. Where it does not, its numbers are nobody's: the canary is not compared with them. */
  readonly comparable: boolean;
}

/** The questions of one guardrail, rendered: the value, the same of stable where it is to be compared with, and the number of requests. */
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
  // A query of scope Workload names no revision: it is as good for both at any time.
  const compares = subject.comparable || guardrail.scope === 'Workload';
  const stable = bounds.maxIncreaseOverStable !== undefined && compares ? renderOne(query.query, ofStable) : undefined;
  const requests = query.requestsQuery === undefined ? undefined : renderOne(query.requestsQuery, values);
  for (const text of [value, stable, requests]) if (typeof text === 'object') return text;
  return {
    value: value as string,
    ...(stable === undefined ? {} : { stable: stable as string }),
    ...(requests === undefined ? {} : { requests: requests as string }),
  };
}

function renderOne(text: string, values: TemplateValues): string | { readonly mistake: string } {
  const read = readQuery(text);
  return read.kind === 'Template' ? renderTemplate(read, values) : read;
}

export interface Asking {
  readonly at: EpochMs;
  readonly owner: string;
  readonly schedule: Schedule;
  /** The last value of stable, for where it is not asked for. */
  readonly lastOfStable: number | undefined;
}

/** Asks everything that one sample needs, at one instant. */
export async function takeSample(
  provider: MetricProvider,
  { rule, query }: Question,
  asked: Asked,
  { at, owner, schedule, lastOfStable }: Asking,
  signal: AbortSignal,
): Promise<Sample> {
  const timeoutMs: DurationMs = timeoutOf(schedule, query.timeout);
  const ask = (text: string | undefined) =>
    text === undefined ? undefined : provider.query({ text, at, timeoutMs, owner }, signal);
  const [value, stable, requests] = await Promise.all([ask(asked.value), ask(asked.stable), ask(asked.requests)]);
  return { at, answer: combine(rule, { value, stable, requests }, lastOfStable) };
}

type Answers = { readonly [Key in keyof Asked]: Answer | undefined };

/** One answer out of up to three. A provider that fails for any of them has failed. */
export function combine(
  rule: GuardrailRule,
  { value, stable, requests }: Answers,
  lastOfStable: number | undefined,
): SampleAnswer {
  const all = [value, stable, requests].filter((answer) => answer !== undefined);
  for (const answer of all) {
    if (answer.kind === 'ProviderDown') return { kind: 'ProviderDown', reason: answer.cause, message: answer.message };
    if (answer.kind === 'BadQuery' || answer.kind === 'SeveralSeries')
      return { kind: 'BadQuery', message: answer.message };
  }
  if (value?.kind !== 'Value') return silent(value, 'the query');
  const warning = all.flatMap((answer) => warningsOf(answer))[0];
  const own = {
    kind: 'Value' as const,
    value: value.value,
    ...(requests === undefined ? {} : { requests: requests.kind === 'Value' ? requests.value : 0 }),
    ...(warning === undefined ? {} : { warning }),
  };
  if (rule.bounds.maxIncreaseOverStable === undefined) return own;
  if (stable === undefined) return withoutStable(own, lastOfStable);
  if (stable.kind === 'Value') return { ...own, stable: stable.value };
  // The other bounds can be judged without stable; the comparison cannot.
  const broken =
    (rule.bounds.max !== undefined && value.value > rule.bounds.max) ||
    (rule.bounds.min !== undefined && value.value < rule.bounds.min);
  return broken ? own : { ...silent(stable, 'the query for stable'), reason: 'NoStableValue' };
}

type Valued = Extract<SampleAnswer, { kind: 'Value' }>;

/** Stable serves nobody and was not asked for: its last value is the best there is; without one, nothing is compared. */
const withoutStable = (own: Valued, lastOfStable: number | undefined): Valued =>
  lastOfStable === undefined
    ? { ...own, remark: 'not compared: stable serves nobody' }
    : { ...own, stable: lastOfStable, remark: 'compared with the last value of stable, which serves nobody now' };

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
