import { type GuardrailEvidence, type GuardrailLevels, judgeGuardrail } from './guardrail.ts';

export interface RolloutGuardrail {
  readonly name: string;
  /** What came from the provider at this poll. */
  readonly data: 'Fresh' | 'Missing' | 'ProviderDown';
  /** A fixed bound on the value, where one is set. */
  readonly bound?: 'Kept' | 'Broken';
  /** The comparison with stable since the step began, where one is set. */
  readonly comparison?: GuardrailEvidence;
}

export interface RolloutFacts {
  readonly guardrails: readonly RolloutGuardrail[];
  readonly harmAlpha: number;
  readonly safeAlpha: number;
}

export type Verdict = 'Harm' | 'ProviderDown' | 'NoEvidence' | 'Safe';

export type VerdictReason =
  | 'BoundBroken'
  | 'EvidenceOfHarm'
  | 'SevereHarmInWarmUp'
  | 'ProviderDown'
  | 'NoData'
  | 'WarmingUp'
  | 'NotEnoughEvidence'
  | 'NothingToJudge'
  | 'NoGuardrails'
  | 'BoundKept'
  | 'NotInferior'
  | 'AllSafe';

export interface GuardrailVerdict {
  readonly name: string;
  readonly verdict: Verdict;
  readonly reason: VerdictReason;
}

export interface RolloutDecision {
  readonly verdict: Verdict;
  readonly reason: VerdictReason;
  /** The guardrail that decided; undefined when all, or none, did. */
  readonly because: string | undefined;
  readonly guardrails: readonly GuardrailVerdict[];
  /** All that a later replay needs: the facts decide, nothing else does. */
  readonly record: DecisionRecord<RolloutFacts>;
}

export interface DecisionRecord<Facts> {
  readonly methodVersion: string;
  readonly alphaSpent: Readonly<Record<string, number>>;
  readonly facts: Facts;
}

/** Raised with any change that gives another answer for the same facts. */
export const rolloutMethodVersion = 'rollout/1';

/** The worst verdict stands for all. Harm first, so that a broken provider never hides it. */
const worstFirst: readonly Verdict[] = ['Harm', 'ProviderDown', 'NoEvidence', 'Safe'];

/**
 * One poll of a rollout's guardrails → one verdict with its reason. An empty list is not "all safe": it answers NoEvidence with
 * reason NoGuardrails, and the caller's policy says what that means.
 */
export function decideRollout(facts: RolloutFacts): RolloutDecision {
  const compared = facts.guardrails.filter(({ comparison }) => comparison).length;
  const levels = { guardrails: Math.max(1, compared), harmAlpha: facts.harmAlpha, safeAlpha: facts.safeAlpha };
  const guardrails = facts.guardrails.map(
    (guardrail): GuardrailVerdict => ({
      name: guardrail.name,
      ...judge(guardrail, levels),
    }),
  );
  const record = {
    methodVersion: rolloutMethodVersion,
    alphaSpent: { harm: compared === 0 ? 0 : facts.harmAlpha, safeEach: compared === 0 ? 0 : facts.safeAlpha },
    facts,
  };
  const worst = worstFirst.find((verdict) => guardrails.some((g) => g.verdict === verdict));
  if (worst === undefined)
    return { verdict: 'NoEvidence', reason: 'NoGuardrails', because: undefined, guardrails, record };
  if (worst === 'Safe') return { verdict: 'Safe', reason: 'AllSafe', because: undefined, guardrails, record };
  const because = guardrails.find(({ verdict }) => verdict === worst) as GuardrailVerdict;
  return { verdict: worst, reason: because.reason, because: because.name, guardrails, record };
}

type Judgement = Omit<GuardrailVerdict, 'name'>;

/** First answer wins. */
function judge(guardrail: RolloutGuardrail, levels: GuardrailLevels): Judgement {
  const { data, bound, comparison } = guardrail;
  if (bound === 'Broken') return { verdict: 'Harm', reason: 'BoundBroken' };
  const judged = comparison && judgeGuardrail(comparison, levels);
  // Harm that was shown stays shown while the provider is away.
  if (judged?.state === 'Harm') return { verdict: 'Harm', reason: judged.reason };
  if (data === 'ProviderDown') return { verdict: 'ProviderDown', reason: 'ProviderDown' };
  if (data === 'Missing') return { verdict: 'NoEvidence', reason: 'NoData' };
  if (judged) return { verdict: judged.state === 'Safe' ? 'Safe' : 'NoEvidence', reason: judged.reason };
  if (bound === 'Kept') return { verdict: 'Safe', reason: 'BoundKept' };
  return { verdict: 'NoEvidence', reason: 'NothingToJudge' };
}
