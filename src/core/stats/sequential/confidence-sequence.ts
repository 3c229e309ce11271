import { requireCount, requireFinite, requirePositive, requireProbability, statsError } from '../errors.ts';
import { mixtureRho, oneSidedLogMixture, twoSidedBound, twoSidedLogMixture } from './normal-mixture.ts';

/** An estimate at one look, on a scale where it is asymptotically normal: absolute difference or log ratio, never relative lift. */
export interface Look {
  readonly estimate: number;
  /** The fixed-sample standard error of the estimate, > 0. */
  readonly standardError: number;
  /** Units in the comparison, both arms together (intervals for counters). */
  readonly n: number;
}

export interface SequencePlan {
  readonly alpha: number;
  /** N*, fixed at start: all units that the comparison is planned for. The sequence is tightest there and valid everywhere. */
  readonly plannedSampleSize: number;
}

export interface SequenceLook {
  readonly lower: number;
  readonly upper: number;
  /** ln of the e-value against an effect of `nullEffect`. */
  readonly logE: number;
  /** min(1, 1 / E) at this look; the running minimum over looks is valid too. */
  readonly pValue: number;
}

/**
 * Asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024, eq. 9; §2.9): covers at **all** looks
 * with probability 1 − alpha. Half-width = se √(((n+ρ)/n) ln((n+ρ)/(ρ α²))). Not before about 100 units and 25 conversions an
 * arm. Throws SLUICE_STATS_ARGUMENT for a standard error that is not > 0.
 */
export function sequenceLook(look: Look, plan: SequencePlan, nullEffect = 0): SequenceLook {
  const { time, scale, rho } = onUnitScale(look, plan, plan.alpha);
  const halfWidth = (twoSidedBound(time, plan.alpha, rho) * scale) / time;
  const logE = twoSidedLogMixture(sumOf(look, scale, nullEffect), time, rho);
  return {
    lower: look.estimate - halfWidth,
    upper: look.estimate + halfWidth,
    logE,
    pValue: Math.min(1, Math.exp(-logE)),
  };
}

export interface OneSidedLook {
  /** One-sided bound: the effect is above it at all looks with probability 1 − alpha. */
  readonly lower: number;
  readonly logE: number;
  readonly pValue: number;
}

/**
 * One-sided: evidence that the effect is above `nullEffect`. The bound is the closed form (Waudby-Smith et al. 2024, eq. 134),
 * which is a little wider than the exact one-sided mixture that gives E and p; decisions use E. For "below", negate the
 * estimate and the null. alpha < 0.5.
 */
export function oneSidedLook(look: Look, plan: SequencePlan, nullEffect = 0): OneSidedLook {
  requireProbability('2 alpha', 2 * plan.alpha);
  const { time, scale, rho } = onUnitScale(look, plan, 2 * plan.alpha);
  const growth = 1 + time / rho;
  const halfWidth =
    scale * Math.sqrt((2 * growth * rho * Math.log1p(Math.sqrt(growth) / (2 * plan.alpha))) / (time * time));
  const logE = oneSidedLogMixture(sumOf(look, scale, nullEffect), time, rho);
  return { lower: look.estimate - halfWidth, logE, pValue: Math.min(1, Math.exp(-logE)) };
}

/** Standard error → standard deviation of one unit: then intrinsic time is the number of units. */
function onUnitScale({ estimate, standardError, n }: Look, plan: SequencePlan, alpha: number) {
  requireFinite('estimate', estimate);
  if (requireCount('n', n) === 0) requirePositive('n', n);
  if (!(plan.plannedSampleSize >= 1)) {
    const { plannedSampleSize } = plan;
    throw statsError('SLUICE_STATS_ARGUMENT', 'the planned sample size must be at least 1', { plannedSampleSize });
  }
  const scale = requirePositive('deviation of a unit', requirePositive('standardError', standardError) * Math.sqrt(n));
  return { time: n, scale, rho: mixtureRho(plan.plannedSampleSize, alpha) };
}

/** Sum of the units' distances from the null, in standard deviations. Divided first: the product alone may overflow. */
function sumOf({ estimate, n }: Look, scale: number, nullEffect: number): number {
  const distance = requireFinite('estimate less null', estimate - requireFinite('nullEffect', nullEffect));
  return requireFinite('distance from the null', (distance / scale) * n);
}
