import { requireNonNegative, requireUnitInterval, statsError } from '../errors.ts';
import type { ArmMean } from '../summaries/moments.ts';
import { chanceToBeBest, type Direction, topTwoChances } from './best-arm.ts';

/**
 * f + (1 − K f) w for each of K arms (§2.15): keeps the order, and bounds the variance of inverse-probability estimates by
 * 1/f. Uniform when K f ≥ 1. Weights must be ≥ 0 and add to 1.
 */
export function withFloor(weights: readonly number[], floor: number): readonly number[] {
  requireUnitInterval('floor', floor);
  const total = weights.reduce((sum, weight) => sum + requireNonNegative('weight', weight), 0);
  if (!(Math.abs(total - 1) < 1e-9)) {
    throw statsError('SLUICE_STATS_ARGUMENT', `weights must add to 1, not ${total}`, { total });
  }
  const arms = weights.length;
  if (arms * floor >= 1) return weights.map(() => 1 / arms);
  return weights.map((weight) => floor + (1 - arms * floor) * weight);
}

export interface BanditPlan {
  /** Least share of each arm; default 0.01. */
  readonly floor?: number;
  /** Units that each arm needs before the first update; default 100. */
  readonly leastUnits?: number;
  readonly method?: 'Thompson' | 'TopTwo';
  readonly direction?: Direction;
}

export interface BanditWeights {
  readonly weights: readonly number[];
  /** `WarmUp`: an arm has too few units or no variance yet, so all weigh the same. */
  readonly reason: 'WarmUp' | 'Posterior';
}

/** The weights of the next batch. They stay fixed until the batch ends, and each batch is an epoch of the analysis. */
export function nextWeights(arms: readonly ArmMean[], plan: BanditPlan = {}): BanditWeights {
  const { floor = 0.01, leastUnits = 100, method = 'Thompson', direction = 'Highest' } = plan;
  if (arms.length < 2) throw statsError('SLUICE_STATS_TOO_FEW', 'a bandit needs two arms', { needed: 2 });
  if (arms.some(({ n, variance }) => n < Math.max(2, leastUnits) || !(variance > 0))) {
    return { weights: arms.map(() => 1 / arms.length), reason: 'WarmUp' };
  }
  const posteriors = arms.map(({ n, mean, variance }) => ({ mean, standardDeviation: Math.sqrt(variance / n) }));
  const chances = (method === 'Thompson' ? chanceToBeBest : topTwoChances)(posteriors, direction);
  return { weights: withFloor(chances, floor), reason: 'Posterior' };
}
