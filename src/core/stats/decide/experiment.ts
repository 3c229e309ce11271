import type { DurationMs } from '../../../base/units.ts';
import { requireNonNegative, requireProbability, requireUnitInterval } from '../errors.ts';
import { type ExperimentFacts, pastBurnIn } from './experiment-facts.ts';
import { type GuardrailState, judgeGuardrail } from './guardrail.ts';
import { judgePrimaries, type PrimaryState } from './primary.ts';
import type { DecisionRecord } from './rollout.ts';

export type ExperimentAnswer =
  | { readonly decision: 'Stop'; readonly reason: 'GuardrailHarm' | 'PrimaryLoses'; readonly arms: readonly string[] }
  | { readonly decision: 'Invalid'; readonly reason: 'SampleRatioMismatch' | 'DataQuality' }
  | { readonly decision: 'Ship'; readonly reason: 'PrimariesWinAndGuardrailsSafe'; readonly arm: string }
  | { readonly decision: 'Iterate'; readonly reason: 'Equivalent' | 'Unresolved' }
  | { readonly decision: 'KeepRunning'; readonly reason: 'NoPrimaryMetric' | 'BeforeMinDuration' | 'NotResolved' };

export interface ArmGuardrailState {
  readonly arm: string;
  readonly metric: string;
  readonly state: GuardrailState['state'];
  readonly reason: GuardrailState['reason'] | 'NoData';
}

export type ExperimentDecision = ExperimentAnswer & {
  readonly primaries: readonly PrimaryState[];
  readonly guardrails: readonly ArmGuardrailState[];
  /** What stands between now and an answer, as `arm/metric` with its state; empty for Ship and Stop. */
  readonly missing: readonly string[];
  /** Until `duration.max`; 0 when it is over. */
  readonly timeLeft: DurationMs;
  readonly record: DecisionRecord<ExperimentFacts>;
};

/** Raised with any change that gives another answer for the same facts. */
export const experimentMethodVersion = 'experiment/1';

/** Sample-ratio p below which nothing is decided (experiments.md). */
const mismatchBelow = 0.001;

interface Judged {
  readonly facts: ExperimentFacts;
  readonly primaries: readonly PrimaryState[];
  readonly guardrails: readonly ArmGuardrailState[];
}

/** An answer, or undefined for "not mine, ask the next one". */
type Rule = (judged: Judged) => ExperimentAnswer | undefined;

const guardrailHarm: Rule = ({ guardrails }) => {
  const arms = [...new Set(guardrails.filter(({ state }) => state === 'Harm').map(({ arm }) => arm))];
  return arms.length > 0 ? { decision: 'Stop', reason: 'GuardrailHarm', arms } : undefined;
};

const sampleRatio: Rule = ({ facts }) =>
  facts.sampleRatioP < mismatchBelow ? { decision: 'Invalid', reason: 'SampleRatioMismatch' } : undefined;

const dataQuality: Rule = ({ facts }) =>
  facts.dataProblems.length > 0 ? { decision: 'Invalid', reason: 'DataQuality' } : undefined;

const noPrimary: Rule = ({ facts }) =>
  facts.treatments.length === 0 || facts.treatments.some(({ primaries }) => primaries.length === 0)
    ? { decision: 'KeepRunning', reason: 'NoPrimaryMetric' }
    : undefined;

const beforeMinDuration: Rule = ({ facts }) =>
  facts.elapsed < facts.minDuration ? { decision: 'KeepRunning', reason: 'BeforeMinDuration' } : undefined;

const winner: Rule = (judged) => {
  const winners = judged.facts.treatments.filter(
    ({ arm }) => primariesOf(judged, arm).every(({ state }) => state === 'Win') && isSafe(judged, arm),
  );
  const lower = (t: (typeof winners)[number]): number => t.primaries[0]?.lower ?? Number.NEGATIVE_INFINITY;
  const best = winners.reduce<(typeof winners)[number] | undefined>(
    (a, b) => (a && lower(a) >= lower(b) ? a : b),
    undefined,
  );
  return best && { decision: 'Ship', reason: 'PrimariesWinAndGuardrailsSafe', arm: best.arm };
};

/** With several treatments the others may still win: it stops when every one loses on a primary and wins on none. */
const loser: Rule = (judged) => {
  const arms = judged.facts.treatments.map(({ arm }) => arm);
  const loses = arms.every((arm) => {
    const states = primariesOf(judged, arm).map(({ state }) => state);
    return states.includes('Lose') && !states.includes('Win');
  });
  return loses ? { decision: 'Stop', reason: 'PrimaryLoses', arms } : undefined;
};

const equivalent: Rule = (judged) =>
  judged.primaries.every(({ insideMde }) => insideMde) &&
  judged.facts.treatments.every(({ arm }) => isSafe(judged, arm))
    ? { decision: 'Iterate', reason: 'Equivalent' }
    : undefined;

const timeIsUp: Rule = ({ facts }) =>
  facts.elapsed >= facts.maxDuration ? { decision: 'Iterate', reason: 'Unresolved' } : undefined;

/** First answer wins, so the order is the specification (experiments.md): harm at any time, validity before any result. */
const rules: readonly Rule[] = [
  guardrailHarm,
  sampleRatio,
  dataQuality,
  noPrimary, // before any rule that asks about "all primaries": an empty list is not "all"
  beforeMinDuration,
  winner,
  loser,
  equivalent,
  timeIsUp,
];

/** Results → a decision with its reason, and the record that replays it: `decideExperiment(d.record.facts)` equals `d`. */
export function decideExperiment(facts: ExperimentFacts): ExperimentDecision {
  requireFacts(facts);
  const judged: Judged = { facts, primaries: readPrimaries(facts), guardrails: readGuardrails(facts) };
  let answer: ExperimentAnswer = { decision: 'KeepRunning', reason: 'NotResolved' };
  for (const rule of rules) {
    const found = rule(judged);
    if (!found) continue;
    answer = found;
    break;
  }
  const settled = answer.decision === 'Ship' || answer.decision === 'Stop';
  return {
    ...answer,
    primaries: judged.primaries,
    guardrails: judged.guardrails,
    missing: settled ? [] : missingOf(judged),
    timeLeft: Math.max(0, facts.maxDuration - facts.elapsed) as DurationMs,
    record: { methodVersion: experimentMethodVersion, alphaSpent: alphaSpent(facts), facts },
  };
}

function readPrimaries(facts: ExperimentFacts): PrimaryState[] {
  const read = judgePrimaries(facts.treatments, facts.method, facts.alpha);
  return pastBurnIn(facts) ? read : read.map((primary) => ({ ...primary, state: 'Unknown', insideMde: false }));
}

/** Guardrails share harmAlpha over arms × guardrails. */
function readGuardrails(facts: ExperimentFacts): ArmGuardrailState[] {
  const all = facts.treatments.flatMap(({ arm, guardrails }) => guardrails.map((guardrail) => ({ arm, ...guardrail })));
  const levels = { guardrails: Math.max(1, all.length), harmAlpha: facts.harmAlpha, safeAlpha: facts.safeAlpha };
  return all.map(({ arm, metric, evidence }) =>
    evidence
      ? { arm, metric, ...judgeGuardrail(evidence, levels) }
      : { arm, metric, state: 'Unknown' as const, reason: 'NoData' as const },
  );
}

const primariesOf = ({ primaries }: Judged, arm: string) => primaries.filter((primary) => primary.arm === arm);

/** An arm without guardrails has nothing to prove: its owner chose so, and admission warns. */
const isSafe = ({ guardrails }: Judged, arm: string): boolean =>
  guardrails.every((guardrail) => guardrail.arm !== arm || guardrail.state === 'Safe');

const missingOf = ({ primaries, guardrails }: Judged): string[] => [
  ...primaries.filter(({ state }) => state === 'Unknown').map(({ arm, metric }) => `${arm}/${metric}: Unknown`),
  ...guardrails.filter(({ state }) => state !== 'Safe').map(({ arm, metric, reason }) => `${arm}/${metric}: ${reason}`),
];

function alphaSpent({ method, alpha, harmAlpha, safeAlpha }: ExperimentFacts): Record<string, number> {
  const read = method.kind === 'Sequential' || method.reached;
  return { primaries: read ? alpha : 0, harm: harmAlpha, safeEach: safeAlpha };
}

function requireFacts(facts: ExperimentFacts): void {
  for (const name of ['elapsed', 'minDuration', 'maxDuration'] as const) requireNonNegative(name, facts[name]);
  for (const name of ['alpha', 'harmAlpha', 'safeAlpha'] as const) requireProbability(name, facts[name]);
  requireUnitInterval('sampleRatioP', facts.sampleRatioP);
  for (const { units, conversions } of facts.exposures) {
    requireNonNegative('units', units);
    requireNonNegative('conversions', conversions ?? 0);
  }
}
