import { requireFinite, requirePositive, statsError } from '../errors.ts';
import { normalCdf, normalPdf, normalSf } from '../special/normal.ts';

/** Normal posterior of an arm's mean. */
export interface ArmPosterior {
  readonly mean: number;
  readonly standardDeviation: number;
}

/** `Highest` wins for revenue, `Lowest` for latency. */
export type Direction = 'Highest' | 'Lowest';

/**
 * P(arm is best) for each arm, by quadrature of ∫ φᵢ(x) Π Φⱼ(x) dx (§2.15): no Monte-Carlo noise, so that the same data give
 * the same weights. Error about 1e-12 while posterior widths differ by less than a factor of 300; the answers add to 1.
 */
export function chanceToBeBest(arms: readonly ArmPosterior[], direction: Direction = 'Highest'): readonly number[] {
  return normalised(rankChances(arms, direction, (others) => others.product));
}

/** Thompson sampling's top-two form (Russo 2020): half the probability to be first or second; adds to 1. Two arms get 1/2 each. */
export function topTwoChances(arms: readonly ArmPosterior[], direction: Direction = 'Highest'): readonly number[] {
  return normalised(rankChances(arms, direction, (others) => others.product + others.allButOne));
}

interface Others {
  /** P(all other arms are below x). */
  readonly product: number;
  /** P(exactly one other arm is above x). */
  readonly allButOne: number;
}

function rankChances(
  arms: readonly ArmPosterior[],
  direction: Direction,
  chance: (others: Others) => number,
): readonly number[] {
  if (arms.length < 2) throw statsError('SLUICE_STATS_TOO_FEW', 'a bandit needs two arms', { needed: 2 });
  const sign = direction === 'Highest' ? 1 : -1;
  const laws = arms.map(({ mean, standardDeviation }) => ({
    mean: sign * requireFinite('mean', mean),
    deviation: requirePositive('standardDeviation', standardDeviation),
  }));
  const sharpest = Math.min(...laws.map(({ deviation }) => deviation));
  return laws.map((law, i) => {
    const others = laws.filter((_, j) => j !== i);
    const step = Math.max(Math.min(1, sharpest / law.deviation) / 6, 1 / 2000);
    let sum = 0;
    for (let z = -9; z <= 9; z += step) {
      sum += normalPdf(z) * chance(othersBelow(others, law.mean + z * law.deviation));
    }
    return sum * step;
  });
}

function othersBelow(others: readonly { mean: number; deviation: number }[], x: number): Others {
  let product = 1;
  let allButOne = 0;
  for (const { mean, deviation } of others) {
    const z = (x - mean) / deviation;
    const [below, above] = [normalCdf(z), normalSf(z)];
    allButOne = allButOne * below + product * above;
    product *= below;
  }
  return { product, allButOne };
}

function normalised(values: readonly number[]): readonly number[] {
  const total = values.reduce((sum, value) => sum + value, 0);
  return values.map((value) => value / total);
}
