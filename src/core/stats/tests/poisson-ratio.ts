import { requireCount, requirePositive, requireProbability } from '../errors.ts';
import { betaQuantilePoint } from '../special/beta.ts';
import { binomialCdf, binomialSf } from '../special/binomial.ts';
import type { Limits } from './relative.ts';

/** Events of an arm over an exposure (requests, unit-days; both arms in the same unit). */
export interface EventRate {
  readonly events: number;
  readonly exposure: number;
}

export interface PoissonRatioTest extends Limits {
  /** Rate of treatment over rate of control; Infinity without control events, 1 without any event. */
  readonly ratio: number;
  readonly pValue: number;
}

/**
 * Exact test and limits of the ratio of two Poisson rates, for one look: given all n events, those of treatment are
 * binomial with probability ρ e_t / (ρ e_t + e_c) (Przyborowski & Wilenski 1940). Two-sided p is twice the smaller tail,
 * limits are Clopper-Pearson's. Events must be independent: bursts need the dispersion of `counters` (trap 3). Without any
 * event p is 1 and the limits are (0, Infinity).
 */
export function poissonRatioTest(
  treatment: EventRate,
  control: EventRate,
  alpha: number,
  nullRatio = 1,
): PoissonRatioTest {
  requireProbability('alpha', alpha);
  const exposures = requirePositive(
    'ratio of exposures',
    requirePositive('exposure', treatment.exposure) / requirePositive('exposure', control.exposure),
  );
  const [k, other] = [requireCount('events', treatment.events), requireCount('events', control.events)];
  const n = k + other;
  const odds = requirePositive('odds', requirePositive('nullRatio', nullRatio) * exposures);
  const share = odds / (1 + odds);
  const pValue = Math.min(1, 2 * Math.min(binomialCdf(k, n, share), binomialSf(k - 1, n, share)));
  const low = k === 0 ? { x: 0, y: 1 } : betaQuantilePoint(alpha / 2, k, other + 1);
  // The upper limit from its own tail: the mirrored law.
  const high = other === 0 ? { x: 0, y: 1 } : betaQuantilePoint(alpha / 2, other, k + 1);
  return {
    ratio: n === 0 ? 1 : k / other / exposures,
    pValue,
    lower: low.x / low.y / exposures,
    upper: high.y / high.x / exposures,
  };
}
