import { requireFinite, requireNonNegative, requirePositive, requireProbability } from '../errors.ts';

export interface Stitching {
  /** Intrinsic time from which the bound is tight; before it, the bound of that time holds. */
  readonly minTime: number;
  /** Scale of one step in a sub-gamma tail: 0 for sub-Gaussian sums; negative for lighter than that. */
  readonly scale: number;
}

/** Exponent of the epochs' error shares and ratio of epoch lengths: the values of Howard et al. 2021, §3.1. */
const epochExponent = 1.4;
const epochRatio = 2;
const zetaOfExponent = 3.105547277268085;

/** A closed boundary of order √(v ln ln v) that a sub-gamma sum passes with probability ≤ alpha (Howard et al. 2021, Theorem 1, eq. 10). */
export function polyStitchingBound(v: number, alpha: number, { minTime, scale }: Stitching): number {
  requireProbability('alpha', alpha);
  const time = Math.max(requireNonNegative('v', v), requirePositive('minTime', minTime));
  const epochs = epochExponent * Math.log(Math.log((epochRatio * time) / minTime));
  const logLevel = epochs + Math.log(zetaOfExponent / Math.log(epochRatio) ** epochExponent) - Math.log(alpha);
  const k1 = (epochRatio ** 0.25 + epochRatio ** -0.25) / Math.SQRT2;
  const linear = ((Math.sqrt(epochRatio) + 1) / 2) * requireFinite('scale', scale) * logLevel;
  return requireFinite('bound', Math.sqrt(k1 * k1 * time * logLevel + linear * linear) + linear);
}
