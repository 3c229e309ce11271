import { requireCount, requirePositive, requireProbability, statsError } from '../errors.ts';
import { brent } from '../special/roots.ts';
import { betaBinomialLogMixture, betaBinomialMixture } from './beta-binomial.ts';

/** Of the limits: a rate of 1e-13 has limits about as small. */
const RELATIVE = 1e-12;

export interface BernoulliCounts {
  readonly successes: number;
  readonly trials: number;
}

export interface BernoulliPlan {
  readonly alpha: number;
  /** Trials at which the sequence is tightest. */
  readonly plannedTrials: number;
}

/**
 * Confidence sequence for a success rate that holds at all numbers of trials at once, without normal approximation: the rates p
 * that the beta-binomial mixture for p does not refute (Howard et al. 2021, §4.1). No trials give [0, 1].
 */
export function bernoulliSequence({ successes, trials }: BernoulliCounts, plan: BernoulliPlan) {
  requireCount('successes', successes);
  if (requireCount('trials', trials) < successes) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'there are more successes than trials', { successes, trials });
  }
  const threshold = -Math.log(requireProbability('alpha', plan.alpha));
  requirePositive('plannedTrials', plan.plannedTrials);
  const rate = trials === 0 ? 0.5 : successes / trials;
  const refuted = (p: number): number => {
    const step = p * (1 - p);
    // At the observed rate there is never evidence; at the ends the other outcome is impossible.
    if (p === rate) return -threshold;
    if (step === 0) return Number.POSITIVE_INFINITY;
    const mixture = betaBinomialMixture(p, 1 - p, step * plan.plannedTrials, plan.alpha);
    return betaBinomialLogMixture(mixture, successes - p * trials, step * trials) - threshold;
  };
  return {
    lower: successes === 0 ? 0 : brent(refuted, 0, rate, { tolerance: RELATIVE * rate }),
    upper: successes === trials ? 1 : brent(refuted, rate, 1, { tolerance: RELATIVE * Math.max(rate, 1 / trials) }),
  };
}
