import { requirePositive, requireProbability } from '../errors.ts';

/**
 * Laplace noise for a count under ε-differential privacy, one unit changing it by at most `sensitivity` (Dwork et al. 2006;
 * §2.22): its scale, standard deviation and the size that it stays under with probability 1 − alpha.
 */
export interface NoiseSize {
  readonly scale: number;
  readonly standardDeviation: number;
  readonly bound: number;
}

export function laplaceNoise(epsilon: number, alpha = 0.05, sensitivity = 1): NoiseSize {
  const scale = requirePositive('sensitivity', sensitivity) / requirePositive('epsilon', epsilon);
  return {
    scale,
    standardDeviation: Math.SQRT2 * scale,
    bound: -scale * Math.log(requireProbability('alpha', alpha)),
  };
}
