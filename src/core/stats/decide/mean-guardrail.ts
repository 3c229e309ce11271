import { requireFinite, requireNonNegative } from '../errors.ts';
import { type Look, oneSidedLook, type SequencePlan } from '../sequential/confidence-sequence.ts';
import type { GuardrailEvidence } from './guardrail.ts';

export interface MeanGuardrail {
  /** Which direction is harm. */
  readonly worse: 'Higher' | 'Lower';
  /** On the scale of the look: ln(1 + margin) for a log ratio. */
  readonly margin: number;
}

/** Evidence for a guardrail on a mean, from a look on the absolute or the log-ratio scale: one-sided mixtures at the margin. */
export function meanGuardrailEvidence(
  look: Look,
  { worse, margin }: MeanGuardrail,
  plan: SequencePlan,
): GuardrailEvidence {
  requireNonNegative('margin', margin);
  const harmful = { ...look, estimate: worse === 'Higher' ? look.estimate : -look.estimate };
  const logHarm = oneSidedLook(harmful, plan, margin).logE;
  const logSafe = oneSidedLook({ ...harmful, estimate: -harmful.estimate }, plan, -margin).logE;
  // Evidence beyond doubles comes from broken numbers, and no record of a decision could hold it.
  requireFinite('evidence of harm', logHarm);
  requireFinite('evidence of safety', logSafe);
  const side = {
    logHarm,
    logSevereHarm: logHarm,
    warmingUp: false,
    intervalsPointingToHarm: 0,
  };
  return { sides: [side], logSafe };
}
