import { requireNonNegative, requirePositive, requireProbability, statsError } from '../errors.ts';
import { lgamma, logGammaQ } from '../special/gamma.ts';
import { growthRoot } from './growth-root.ts';
import { mixtureRho } from './normal-mixture.ts';

/** One-sided gamma-Poisson mixture: counts (or sums with steps of at most `c` and Poisson tails) above their mean. */
export interface GammaPoissonMixture {
  readonly rho: number;
  /** Scale of one step; 1 for counts. */
  readonly c: number;
}

/** Tuned to be tightest at intrinsic time `plannedTime` (the expected count, for c = 1). alpha < 0.5. */
export function gammaPoissonMixture(plannedTime: number, alpha: number, c = 1): GammaPoissonMixture {
  requireProbability('2 alpha', 2 * alpha);
  return { rho: mixtureRho(plannedTime, 2 * alpha), c: requirePositive('c', c) };
}

/**
 * ln of the mixture at sum s = count − expected and intrinsic time v = expected (Howard et al. 2021, Proposition 10, with a
 * gamma prior on the relative rate cut to rates above 1): mean ≤ 1 while the rate is at most as expected.
 */
export function gammaPoissonLogMixture({ rho, c }: GammaPoissonMixture, s: number, v: number): number {
  requireNonNegative('v', v);
  const prior = rho / (c * c);
  const rate = (v + rho) / (c * c);
  const shape = s / c + rate;
  if (!(shape > 0)) throw statsError('SLUICE_STATS_ARGUMENT', `s must be at least −v / c, not ${s}`, { s, v });
  const posterior = lgamma(shape) + logGammaQ(shape, rate) - shape * Math.log(rate);
  const start = lgamma(prior) + logGammaQ(prior, prior) - prior * Math.log(prior);
  return posterior - start + v / (c * c);
}

/** The s that is not passed with probability 1 − alpha, at intrinsic time v. */
export function gammaPoissonBound(mixture: GammaPoissonMixture, v: number, alpha: number): number {
  const threshold = -Math.log(requireProbability('alpha', alpha));
  return growthRoot((s) => gammaPoissonLogMixture(mixture, s, v) - threshold, 0, Math.sqrt(v + mixture.rho));
}
