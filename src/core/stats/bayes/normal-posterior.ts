import { requireFinite, requirePositive } from '../errors.ts';
import { normalCdf, normalPdf, normalQuantileSf, normalSf } from '../special/normal.ts';

/** What was believed of an effect before the data; `Flat` is improper: every effect equally likely. */
export type EffectPrior =
  | { readonly kind: 'Normal'; readonly mean: number; readonly standardDeviation: number }
  | { readonly kind: 'Flat' };

/** On the log-ratio scale: 95 % of effects within about ± 20 %. */
export const defaultEffectPrior: EffectPrior = { kind: 'Normal', mean: 0, standardDeviation: 0.1 };

export interface EffectPosterior {
  readonly mean: number;
  readonly standardDeviation: number;
  /**
   * Whether the prior was proper. A flat prior that is looked at daily has the false positives of a naive z test (trap 23):
   * no action may follow from it without an always-valid bound.
   */
  readonly isProper: boolean;
}

/** Normal effect, normal prior: precisions add (§2.12). */
export function effectPosterior(
  effect: { readonly estimate: number; readonly standardError: number },
  prior: EffectPrior = defaultEffectPrior,
): EffectPosterior {
  requireFinite('estimate', effect.estimate);
  requirePositive('standardError', effect.standardError);
  if (prior.kind === 'Flat') {
    return { mean: effect.estimate, standardDeviation: effect.standardError, isProper: false };
  }
  requireFinite('prior mean', prior.mean);
  requirePositive('prior standardDeviation', prior.standardDeviation);
  // Weights as shares of the two variances, which neither over- nor underflow for one very wide and one very narrow law.
  const spread = Math.hypot(effect.standardError, prior.standardDeviation);
  const shareOfData = (prior.standardDeviation / spread) ** 2;
  return {
    mean: prior.mean + shareOfData * (effect.estimate - prior.mean),
    standardDeviation: effect.standardError * (prior.standardDeviation / spread),
    isProper: true,
  };
}

export interface EffectBelief {
  /** P(effect > 0). */
  readonly chanceToWin: number;
  /** Effect that is lost on average by taking the control (when it is the worse), and by taking the treatment. */
  readonly lossOfControl: number;
  readonly lossOfTreatment: number;
}

/** Closed forms for a normal posterior (§2.12): E max(effect, 0) and E max(−effect, 0). */
export function effectBelief({ mean, standardDeviation }: EffectPosterior): EffectBelief {
  const score = requireFinite('mean', mean) / requirePositive('standardDeviation', standardDeviation);
  return {
    chanceToWin: normalCdf(score),
    lossOfControl: expectedExcess(mean, standardDeviation, score),
    lossOfTreatment: expectedExcess(-mean, standardDeviation, -score),
  };
}

/** E max(X, 0) for a normal X: σ (φ(score) + score Φ(score)); beyond 40 deviations its limit, where the score may overflow. */
function expectedExcess(mean: number, deviation: number, score: number): number {
  if (Math.abs(score) > 40) return Math.max(0, mean);
  return Math.max(0, deviation * (normalPdf(score) + score * normalCdf(score)));
}

/** The central interval that holds the effect with probability 1 − alpha. */
export function credibleLimits({ mean, standardDeviation }: EffectPosterior, alpha: number) {
  const reach = requirePositive('standardDeviation', standardDeviation) * normalQuantileSf(alpha / 2);
  requireFinite('mean', mean);
  return { lower: mean - reach, upper: mean + reach };
}

/** P(effect > threshold). */
export function chanceAbove({ mean, standardDeviation }: EffectPosterior, threshold: number): number {
  return normalSf((requireFinite('threshold', threshold) - mean) / standardDeviation);
}
