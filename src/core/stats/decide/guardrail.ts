import { requireCount, requireNonNegative, requireNumber, requireProbability, statsError } from '../errors.ts';

/** Evidence against one bound; `counters/` gives it for error counters, `mean-guardrail.ts` for means. */
export interface SidedEvidence {
  /** ln E that the canary or treatment is worse than the bound, corrected for dispersion. */
  readonly logHarm: number;
  /** The same without correction, with a cap on what one interval counts for. */
  readonly logSevereHarm: number;
  /** The correction is not known well enough yet: only severe harm counts. */
  readonly warmingUp: boolean;
  readonly intervalsPointingToHarm: number;
}

export interface GuardrailEvidence {
  /** Harm needs all of them; an empty list shows nothing. */
  readonly sides: readonly SidedEvidence[];
  /** ln E that it is not worse than the bound. */
  readonly logSafe: number;
}

export interface GuardrailLevels {
  /** Guardrails that share `harmAlpha` (times treatment arms, in an experiment), ≥ 1. */
  readonly guardrails: number;
  /** Chance of any false alarm: 0.01 per rollout, 0.05 per experiment. */
  readonly harmAlpha: number;
  /** Chance of false safety, for each guardrail: all must pass, so it is not corrected. 0.05. */
  readonly safeAlpha: number;
}

export type GuardrailState =
  | { readonly state: 'Harm'; readonly reason: 'EvidenceOfHarm' | 'SevereHarmInWarmUp' }
  | { readonly state: 'Safe'; readonly reason: 'NotInferior' }
  | { readonly state: 'Unknown'; readonly reason: 'WarmingUp' | 'NotEnoughEvidence' };

/** E from which harm stands before the dispersion is known, for one guardrail: far above what usual bursts reach. */
const severeE = 10_000;
const severeIntervals = 3;

/** Three answers, never two: harm shown, safety shown, or neither. Absence of harm is not safety (statistics.md finding 6). */
export function judgeGuardrail(evidence: GuardrailEvidence, levels: GuardrailLevels): GuardrailState {
  const { guardrails, harmAlpha, safeAlpha } = requireLevels(levels);
  const { sides, logSafe } = evidence;
  for (const { logHarm, logSevereHarm, intervalsPointingToHarm } of sides) {
    requireNumber('log e-value', logHarm + logSevereHarm);
    requireNonNegative('intervalsPointingToHarm', intervalsPointingToHarm);
  }
  requireNumber('log e-value', logSafe);
  const shown = (side: SidedEvidence): boolean =>
    side.warmingUp
      ? side.logSevereHarm >= Math.log(severeE * guardrails) && side.intervalsPointingToHarm >= severeIntervals
      : side.logHarm >= Math.log(guardrails / harmAlpha);
  const warmingUp = sides.some((side) => side.warmingUp);
  if (sides.length > 0 && sides.every(shown)) {
    return { state: 'Harm', reason: warmingUp ? 'SevereHarmInWarmUp' : 'EvidenceOfHarm' };
  }
  if (logSafe >= -Math.log(safeAlpha)) return { state: 'Safe', reason: 'NotInferior' };
  return { state: 'Unknown', reason: warmingUp ? 'WarmingUp' : 'NotEnoughEvidence' };
}

function requireLevels(levels: GuardrailLevels): GuardrailLevels {
  requireProbability('harmAlpha', levels.harmAlpha);
  requireProbability('safeAlpha', levels.safeAlpha);
  if (requireCount('guardrails', levels.guardrails) === 0) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'levels are for at least one guardrail');
  }
  return levels;
}
