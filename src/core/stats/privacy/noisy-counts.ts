import type { Random } from '../../../base/random.ts';
import { requireCount, requirePositive, statsError } from '../errors.ts';

/** A released count, or nothing where too few units stand behind it. */
export type ReleasedCount =
  | { readonly kind: 'Count'; readonly value: number; readonly noiseVariance: number }
  | { readonly kind: 'Suppressed' };

/**
 * Two-sided geometric noise, P(k) ∝ exp(−ε |k|) (Ghosh, Roughgarden, Sundararajan 2012): the integer form of Laplace noise, without
 * the leak of its floating-point bits. `random` must be a cryptographic source for a release; a seeded one is for tests.
 */
export function geometricNoise(epsilon: number, random: Random): number {
  requirePositive('epsilon', epsilon);
  const draw = () => Math.floor(Math.log1p(-random()) / -epsilon);
  return draw() - draw();
}

/** Variance of `geometricNoise`: 2 q / (1 − q)² with q = exp(−ε). Add it to the variance of any estimate from noisy counts. */
export function geometricVariance(epsilon: number): number {
  return (2 * Math.exp(-requirePositive('epsilon', epsilon))) / Math.expm1(-epsilon) ** 2;
}

/**
 * One count under ε-differential privacy (sensitivity 1). Cells of fewer than `leastUnits` units are suppressed before noise
 * (§2.22); that rule guards against embarrassment, the noise is what gives privacy. Internal checks (sample ratio) use the
 * true counts.
 */
export function releaseCount(
  count: number,
  policy: { readonly epsilon: number; readonly leastUnits: number },
  random: Random,
): ReleasedCount {
  requireCount('leastUnits', policy.leastUnits);
  if (requireCount('count', count) < policy.leastUnits) return { kind: 'Suppressed' };
  const value = Math.max(0, count + geometricNoise(policy.epsilon, random));
  return { kind: 'Count', value, noiseVariance: geometricVariance(policy.epsilon) };
}

/** Levels of the tree over so many releases: each increment is part of that many sums, and each release of at most that many. */
export function treeLevels(releases: number): number {
  if (requireCount('releases', releases) === 0) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'a budget needs a release', { releases });
  }
  return Math.floor(Math.log2(releases)) + 1;
}

/**
 * Running totals after each refresh, all of them together under ε-differential privacy (binary tree mechanism; Chan, Shi, Song
 * 2011): noise grows with log² of the planned refreshes, where fresh noise each time would spend ε again and again. The same
 * increments and random stream give the same totals, so a restart replays the seed and releases nothing new.
 */
export function releaseTotals(
  increments: readonly number[],
  plan: { readonly epsilon: number; readonly releases: number },
  random: Random,
): readonly number[] {
  const levels = treeLevels(plan.releases);
  if (increments.length > plan.releases) {
    throw statsError('SLUICE_STATS_ARGUMENT', `the budget is for ${plan.releases} releases`, {
      asked: increments.length,
    });
  }
  const share = requirePositive('epsilon', plan.epsilon) / levels;
  const exact = new Array<number>(levels).fill(0);
  const noisy = new Array<number>(levels).fill(0);
  return increments.map((increment, i) => {
    // The lowest set bit of the release number says which node it completes; smaller nodes merge into that one.
    const release = i + 1;
    const level = Math.log2(release & -release);
    let sum = requireCount('increment', increment);
    for (let below = 0; below < level; below++) {
      sum += exact[below] as number;
      exact[below] = 0;
      noisy[below] = 0;
    }
    exact[level] = sum;
    noisy[level] = sum + geometricNoise(share, random);
    return Math.max(
      0,
      noisy.reduce((total, value) => total + value, 0),
    );
  });
}
