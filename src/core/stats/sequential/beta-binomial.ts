import {
  requireFinite,
  requireNonNegative,
  requireNumber,
  requirePositive,
  requireProbability,
  statsError,
} from '../errors.ts';
import { brent } from '../special/roots.ts';
import { dirichletEvidence } from './dirichlet-evidence.ts';
import { mixtureRho } from './normal-mixture.ts';

/**
 * A two-sided beta-binomial mixture for sums whose steps lie between −g and h, as Bernoulli(p) steps less p do with g = p and
 * h = 1 − p (Howard et al. 2021, Proposition 7; statistics.md §2.20).
 */
export interface BetaBinomialMixture {
  readonly g: number;
  readonly h: number;
  /** Precision of the prior in intrinsic time. */
  readonly r: number;
}

/** Tuned to be tightest at intrinsic time `plannedTime` (n p (1 − p) for n Bernoulli trials). */
export function betaBinomialMixture(g: number, h: number, plannedTime: number, alpha: number): BetaBinomialMixture {
  const gh = requirePositive('g', g) * requirePositive('h', h);
  return { g, h, r: Math.max(mixtureRho(plannedTime, alpha) - gh, 1e-3 * gh) };
}

/** ln of the mixture at sum s and intrinsic time v ≥ 0, for −v/h ≤ s ≤ v/g: mean ≤ 1 while the null holds. */
export function betaBinomialLogMixture({ g, h, r }: BetaBinomialMixture, s: number, v: number): number {
  for (const [name, value] of [
    ['g', g],
    ['h', h],
    ['r', r],
  ] as const)
    requirePositive(name, value);
  requireFinite('s', s);
  requireNonNegative('v', v);
  // Sums at the very ends come from rounding p n; beyond them the data are impossible under these steps.
  const slack = 1e-9 * (v / Math.min(g, h) + 1);
  if (!(s >= -v / h - slack && s <= v / g + slack)) {
    throw statsError('SLUICE_STATS_ARGUMENT', `s must be inside [−v/h, v/g], not ${s}`, { s, v });
  }
  const width = g + h;
  const logMixture = dirichletEvidence([
    { share: g / width, prior: r / (h * width), count: Math.max(0, v + h * s) / (h * width) },
    { share: h / width, prior: r / (g * width), count: Math.max(0, v - g * s) / (g * width) },
  ]);
  return requireNumber('log mixture', logMixture);
}

/** The s that is not passed upwards with probability 1 − alpha, at intrinsic time v; v/g when every s is inside. */
export function betaBinomialBound(mixture: BetaBinomialMixture, v: number, alpha: number): number {
  const threshold = -Math.log(requireProbability('alpha', alpha));
  const most = v / mixture.g;
  const excess = (s: number): number => betaBinomialLogMixture(mixture, s, v) - threshold;
  return excess(most) <= 0 ? most : brent(excess, 0, most);
}
