import { requireFinite, requireNonNegative, requireNumber, requirePositive, requireProbability } from '../errors.ts';
import { erfcx } from '../special/erf.ts';
import { lambertWm1Log } from '../special/lambert-w.ts';
import { normalLogCdf } from '../special/normal.ts';
import { growthRoot } from './growth-root.ts';

/**
 * The mixing precision rho that makes a two-sided boundary tightest at intrinsic time `plannedTime` (Howard, Ramdas,
 * McAuliffe, Sekhon 2021, §3.5, closed approximation; statistics.md §2.9). For unit-variance data time is the number of units.
 * Fix it before start, from the planned sample size; never from the present one (finding 5).
 */
export function mixtureRho(plannedTime: number, alpha: number): number {
  requirePositive('plannedTime', plannedTime);
  const logInverse = -Math.log(requireProbability('alpha', alpha));
  return plannedTime / (2 * logInverse + Math.log1p(2 * logInverse));
}

/** The exact optimum by Lambert's W (Waudby-Smith et al. 2024, §C.3); the closed form is 3 % higher at alpha = 0.05: harmless. */
export function mixtureRhoExact(plannedTime: number, alpha: number): number {
  requirePositive('plannedTime', plannedTime);
  const minusLog = 2 * Math.log(requireProbability('alpha', alpha)) - 1;
  return plannedTime / (-lambertWm1Log(minusLog) - 1);
}

/** ln of the two-sided normal mixture at sum `s` and intrinsic time `v` ≥ 0 (Howard et al. 2021, eq. 14): mean ≤ 1 under the null. */
export function twoSidedLogMixture(s: number, v: number, rho: number): number {
  requireTime(s, v, rho);
  // Divided before it is squared: s² alone overflows.
  const z = s / Math.sqrt(v + rho);
  return (z * z) / 2 - 0.5 * Math.log1p(v / rho);
}

/** The |s| that the mixture never passes with probability 1 − alpha, at intrinsic time v. */
export function twoSidedBound(v: number, alpha: number, rho: number): number {
  requireTime(0, v, rho);
  return Math.sqrt((v + rho) * (Math.log1p(v / rho) - 2 * Math.log(requireProbability('alpha', alpha))));
}

/** ln of the one-sided normal mixture (mixing over effects ≥ 0; Howard et al. 2021, §3.2): evidence that the mean is > 0.
 * An infinite s gives the limit, an infinity of its sign. */
export function oneSidedLogMixture(s: number, v: number, rho: number): number {
  requireTime(s, v, rho);
  const z = s / Math.sqrt(v + rho);
  // z²/2 + ln 2Φ(z); for s < 0 the two terms cancel, which erfcx avoids.
  const growth = z < 0 ? Math.log(erfcx(-z * Math.SQRT1_2)) : (z * z) / 2 + Math.LN2 + normalLogCdf(z);
  return growth - 0.5 * Math.log1p(v / rho);
}

/** The s that the one-sided mixture never passes with probability 1 − alpha, at intrinsic time v. */
export function oneSidedBound(v: number, alpha: number, rho: number): number {
  const threshold = -Math.log(requireProbability('alpha', alpha));
  return growthRoot((s) => oneSidedLogMixture(s, v, rho) - threshold, 0, Math.sqrt(v + rho));
}

function requireTime(s: number, v: number, rho: number): void {
  requireNumber('s', s);
  requireNonNegative('v', v);
  requirePositive('rho', rho);
  requireFinite('v + rho', v + rho);
  requireFinite('v / rho', v / rho);
}
