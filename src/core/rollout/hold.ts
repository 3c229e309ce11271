import type { Guardrail } from '../../api/guardrail.ts';
import type { GuardrailStatus, InFlight } from '../../api/rollout-status.ts';
import { after, type DurationMs, type EpochMs } from '../../base/units.ts';
import type { GuardrailRule, JudgedGuardrail } from '../guardrails/judge.ts';

export type Hold = NonNullable<InFlight['hold']>;
type Proven = NonNullable<Hold['proven']>[number];

/** What the guardrails say about going on. */
export type Evidence =
  | { readonly kind: 'Good' }
  | { readonly kind: 'Pending'; readonly reason: string; readonly message: string }
  | { readonly kind: 'Bad'; readonly reason: string; readonly message: string }
  | {
      readonly kind: 'Silent';
      readonly verdict: 'NoEvidence' | 'ProviderDown';
      readonly message: string;
      readonly until: EpochMs;
      readonly action: 'Hold' | 'RollBack';
    };

/** Guardrails that only report, and those whose long silence the user lets pass, do not take part. */
export function takingPart(guardrails: readonly JudgedGuardrail[], now: EpochMs): JudgedGuardrail[] {
  return guardrails.filter(({ rule: { guardrail }, status }) => {
    if (guardrail.action === 'Observe') return false;
    if (status?.verdict !== 'NoEvidence' || guardrail.noEvidence.action !== 'Proceed') return true;
    const since = silentFor(status, 'Proceed');
    return since === undefined || now < after(since, guardrail.noEvidence.after);
  });
}

/**
 * Since when silence counts for what shall follow it. A person is asked after any; what Sluice does by itself needs that the
 * silence was of the one kind all the time.
 */
const silentFor = (
  { silentSince, sameSilenceSince = silentSince }: GuardrailStatus,
  action: Guardrail['noEvidence']['action'],
): EpochMs | undefined => (action === 'Hold' ? silentSince : sameSilenceSince);

/** The worst of what takes part: bad before silent before pending. `since`: samples before it say nothing about this step. */
export function evidence(guardrails: readonly JudgedGuardrail[], since: EpochMs, now: EpochMs): Evidence {
  const all = takingPart(guardrails, now).map((guardrail) => evidenceOf(guardrail, since, now));
  for (const kind of ['Bad', 'Silent', 'Pending'] as const) {
    const found = all.find((one) => one.kind === kind);
    if (found) return found;
  }
  return { kind: 'Good' };
}

function evidenceOf({ rule: { guardrail }, status }: JudgedGuardrail, since: EpochMs, now: EpochMs): Evidence {
  const message = `guardrail ${guardrail.name}: ${status?.message ?? 'no sample of this step yet'}`;
  if (status?.verdict === 'Harm') return { kind: 'Bad', reason: 'GuardrailHolds', message };
  if (!status?.at || status.at < since)
    return {
      kind: 'Pending',
      reason: 'FirstSample',
      message: `guardrail ${guardrail.name}: no sample of this step yet`,
    };
  if (status.verdict === 'Safe') return { kind: 'Good' };
  if (status.reason === 'BudgetNotSpent') return { kind: 'Bad', reason: 'BudgetNotSpent', message };
  const { verdict } = status;
  const policy = verdict === 'ProviderDown' ? guardrail.providerDown : guardrail.noEvidence;
  const silent = { kind: 'Silent', verdict, message } as const;
  const until = after(silentFor(status, policy.action) ?? status.at, policy.after);
  const askedFrom = after(silentFor(status, 'Hold') ?? status.at, policy.after);
  // Where the two kinds take turns neither lasts long enough: nobody would ever do anything.
  if (now < until && now >= askedFrom) return { ...silent, until: askedFrom, action: 'Hold' };
  return { ...silent, until, action: policy.action === 'RollBack' ? 'RollBack' : 'Hold' };
}

/** How often a guardrail is asked: at least once a window, so that its samples prove time without gaps. */
export const askedEvery = ({ guardrail, windowMs }: GuardrailRule): DurationMs =>
  Math.min(guardrail.interval, windowMs) as DurationMs;

/**
 * The hold with the time that safe samples now prove. A sample proves its window; it counts only when the whole window
 * lies inside the step, and time counts only where every guardrail proves it. What each proved is kept, as they are asked
 * at different times. Without guardrails time itself counts.
 */
export function credit(hold: Hold, guardrails: readonly JudgedGuardrail[], now: EpochMs): Hold {
  const parts = takingPart(guardrails, now);
  if (parts.length === 0) return advance(hold, hold.at, now);
  const proven = parts.flatMap((guardrail) => provenBy(guardrail, hold) ?? []);
  const noted: Hold = { ...hold, proven };
  if (proven.length < parts.length) return noted;
  return advance(noted, Math.max(...proven.map(({ from }) => from)), Math.min(...proven.map(({ to }) => to)));
}

/** What a guardrail has proven without a gap, up to its last sample. */
function provenBy({ rule, status }: JudgedGuardrail, { proven = [], effectiveAt }: Hold): Proven | undefined {
  const { name } = rule.guardrail;
  const before = proven.find((one) => one.name === name);
  const to = status?.at;
  if (to === undefined || effectiveAt === undefined || to - rule.windowMs < effectiveAt) return before;
  const from = (to - rule.windowMs) as EpochMs;
  return before && from <= before.to ? { ...before, to } : { name, from, to };
}

function advance(hold: Hold, start: number, end: number): Hold {
  const from = Math.max(hold.at, start);
  return end <= from ? hold : { ...hold, doneMs: hold.doneMs + (end - from), at: end as EpochMs };
}

/** Time up to `now` is not proven and never will be. */
export function interrupt({ proven: _past, ...hold }: Hold, now: EpochMs): Hold {
  return { ...hold, at: Math.max(hold.at, now) as EpochMs };
}

/** How much of `needed` is missing. */
export const missing = (hold: Hold, needed: DurationMs): DurationMs => Math.max(0, needed - hold.doneMs) as DurationMs;
