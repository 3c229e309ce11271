import type { Guardrail } from '../../api/guardrail.ts';
import type { MetricSpec } from '../../api/metric.ts';
import type { GuardrailStatus, Verdict } from '../../api/rollout-status.ts';
import type { DurationMs, EpochMs } from '../../base/units.ts';

/** A guardrail with what its Metric contributes. */
export interface GuardrailRule {
  readonly guardrail: Guardrail;
  readonly direction: MetricSpec['direction'];
  readonly bounds: Pick<Guardrail, 'max' | 'min' | 'maxIncreaseOverStable'>;
  /** Time that one answer covers. */
  readonly windowMs: DurationMs;
}

/** What the provider said, with what the query could not be asked for told apart from what it answered. */
export type SampleAnswer =
  | {
      readonly kind: 'Value';
      readonly value: number;
      /** Set where the rule compares with it. */
      readonly stable?: number;
      /** Set where the metric counts them. */
      readonly requests?: number;
      /** What the provider warned of: data may be missing from one of these numbers. */
      readonly warning?: string;
      /** How it was compared with stable, where that is not as usual. */
      readonly remark?: string;
    }
  | {
      readonly kind: 'NoEvidence';
      readonly reason: 'EmptyResult' | 'NotANumber' | 'NoStableValue';
      readonly message: string;
    }
  | { readonly kind: 'ProviderDown'; readonly reason: string; readonly message: string }
  /** A mistake in the spec: the query does not parse, or answers several series. */
  | { readonly kind: 'BadQuery'; readonly message: string };

export interface Sample {
  readonly at: EpochMs;
  readonly answer: SampleAnswer;
}

/** A guardrail with its state; no state before the first sample. */
export interface JudgedGuardrail {
  readonly rule: GuardrailRule;
  readonly status?: GuardrailStatus;
}

/**
 * The state after one more sample. Harm means that the failure budget is spent: one sample for Critical, else `count` of
 * the last `within` samples with a value. Silence neither spends budget nor earns it back.
 */
export function judge(
  rule: GuardrailRule,
  before: GuardrailStatus | undefined,
  { at, answer }: Sample,
): GuardrailStatus {
  const kept = { name: rule.guardrail.name, at, outOfBounds: before?.outOfBounds ?? [] };
  const silent = (verdict: 'NoEvidence' | 'ProviderDown', reason: string, message: string): GuardrailStatus => ({
    ...kept,
    ...{ verdict, reason, message },
    ...silenceOf(before, verdict, at),
  });
  switch (answer.kind) {
    case 'ProviderDown':
    case 'NoEvidence':
      return silent(answer.kind, answer.reason, answer.message);
    case 'BadQuery':
      return silent('NoEvidence', answer.kind, answer.message);
    case 'Value':
      return judgeValue(rule, kept, answer, silenceOf(before, 'NoEvidence', at));
  }
}

type Silence = Pick<GuardrailStatus, 'silentSince' | 'sameSilenceSince'>;

/** A former version of status has no `sameSilenceSince`. */
function silenceOf(before: GuardrailStatus | undefined, verdict: Verdict, at: EpochMs): Silence {
  const { silentSince = at, sameSilenceSince = silentSince } = before ?? {};
  return { silentSince, sameSilenceSince: before?.verdict === verdict ? sameSilenceSince : at };
}

function judgeValue(
  { guardrail, direction, bounds }: GuardrailRule,
  kept: Pick<GuardrailStatus, 'name' | 'at' | 'outOfBounds'>,
  answer: Extract<SampleAnswer, { kind: 'Value' }>,
  silence: Silence,
): GuardrailStatus {
  const { value, stable, requests, warning } = answer;
  const values = { value, ...(stable === undefined ? {} : { stableValue: stable }) };
  if (requests !== undefined && requests < guardrail.minRequests) {
    const message = `${round(requests)} requests in the window, ${guardrail.minRequests} are wanted`;
    return { ...kept, ...values, verdict: 'NoEvidence', reason: 'TooFewRequests', message, ...silence };
  }
  const broken = warning === undefined ? brokenBound(bounds, direction, value, stable) : aboveMaximum(bounds, value);
  if (warning !== undefined && broken === undefined) {
    const message = `data may be missing: ${warning}`;
    return { ...kept, ...values, verdict: 'NoEvidence', reason: 'PartialData', message, ...silence };
  }
  const { count, within } = guardrail.severity === 'Critical' ? { count: 1, within: 1 } : guardrail.failures;
  const outOfBounds = [...kept.outOfBounds, broken !== undefined].slice(-within);
  const failures = outOfBounds.filter(Boolean).length;
  const state = { ...kept, ...values, outOfBounds };
  if (failures >= count)
    return {
      ...state,
      verdict: 'Harm',
      reason: 'OutOfBounds',
      message: broken ?? `${failures} of the last ${within} samples were out of bounds`,
    };
  if (broken !== undefined)
    return {
      ...state,
      verdict: 'NoEvidence',
      reason: 'BudgetNotSpent',
      message: `${broken} (${failures} of ${count} failures)`,
    };
  const { remark } = answer;
  return { ...state, verdict: 'Safe', reason: 'InBounds', ...(remark === undefined ? {} : { message: remark }) };
}

/**
 * The one bound that counts where data may be missing: what was seen is too much, whatever else there is. A value that is too
 * low, or a comparison, can come of the missing data alone (docs/decisions/0126).
 */
const aboveMaximum = ({ max }: GuardrailRule['bounds'], value: number): string | undefined =>
  max !== undefined && value > max ? `${round(value)} is above the maximum of ${round(max)}` : undefined;

/** Which bound a value breaks, in a sentence; undefined when it is in bounds. */
function brokenBound(
  bounds: GuardrailRule['bounds'],
  direction: GuardrailRule['direction'],
  value: number,
  stable: number | undefined,
): string | undefined {
  const { min, maxIncreaseOverStable: increase } = bounds;
  const above = aboveMaximum(bounds, value);
  if (above !== undefined) return above;
  if (min !== undefined && value < min) return `${round(value)} is below the minimum of ${round(min)}`;
  if (increase === undefined || stable === undefined) return undefined;
  const worse = { LowerIsBetter: value - stable, HigherIsBetter: stable - value, Target: Math.abs(value - stable) }[
    direction
  ];
  const allowed = Math.max(increase.absolute ?? 0, (increase.relative ?? 0) * Math.abs(stable));
  return worse > allowed
    ? `${round(value)} against ${round(stable)} of stable is worse by ${round(worse)}, ${round(allowed)} is allowed`
    : undefined;
}

const severity: Readonly<Record<Verdict, number>> = { Safe: 0, NoEvidence: 1, ProviderDown: 2, Harm: 3 };

/** The worst verdict of those guardrails that act; undefined when there is none with a sample. */
export function worstVerdict(guardrails: readonly JudgedGuardrail[]): Verdict | undefined {
  const verdicts = guardrails
    .filter((g) => g.rule.guardrail.action !== 'Observe')
    .flatMap((g) => (g.status ? [g.status.verdict] : []));
  return verdicts.sort((a, b) => severity[b] - severity[a])[0];
}

const round = (value: number): string => String(Number(value.toPrecision(4)));
