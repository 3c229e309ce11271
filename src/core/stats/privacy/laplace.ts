import { requirePositive, requireProbability } from '../errors.ts';

export interface NoiseSize {
  readonly scale: number;
  readonly standardDeviation: number;
  /** The noise stays under this size with probability 1 − alpha. */
  readonly bound: number;
}

/**
 * Size of the Laplace noise for a count under ε-differential privacy: scale sensitivity / ε, where one unit changes the count by at
 * most `sensitivity` (Dwork et al. 2006; §2.22).
 */
export function laplaceNoise(epsilon: number, alpha = 0.05, sensitivity = 1): NoiseSize {
  const scale = requirePositive('sensitivity', sensitivity) / requirePositive('epsilon', epsilon);
  return {
    scale,
    standardDeviation: Math.SQRT2 * scale,
    bound: -scale * Math.log(requireProbability('alpha', alpha)),
  };
}
