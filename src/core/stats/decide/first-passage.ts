import { requirePositive, requireProbability, statsError } from '../errors.ts';
import { normalCdf } from '../special/normal.ts';

/**
 * A mixture of likelihood ratios over steps of equal information: ln E_j after t steps with count k is k × perCount_j + t × perStep_j.
 */
export interface StepwiseMixture {
  readonly perCount: readonly number[];
  readonly perStep: readonly number[];
  /** ln E that must be reached. */
  readonly threshold: number;
}

/** The law of the count in one step. */
export interface CountLaw {
  readonly mean: number;
  readonly variance: number;
  /** P(count = k) for k = 0, 1, …; used while the variance is small, else a normal law stands in. */
  readonly pmf: (k: number) => number;
}

const mostSteps = 4_000;
/** Variance of a step from which a normal lattice of quarter standard deviations replaces exact counts. */
const normalFrom = 100;
/** Probability that may be cut off the ends of the lattice at each step. */
const negligible = 1e-13;

/**
 * Steps until the mixture has reached its threshold with the given probability, by carrying the exact law of the count forward
 * and taking out what has arrived. Infinite when it is not within 4,000 steps.
 */
export function stepsToReach(mixture: StepwiseMixture, law: CountLaw, probability: number): number {
  requireProbability('probability', probability);
  const step = latticeOf(law);
  let alive: Lattice = { first: 0, mass: [1] };
  let arrived = 0;
  for (let t = 1; t <= mostSteps; t++) {
    alive = trim(convolve(alive, step));
    const kept = alive.mass.map((mass, i) => {
      const count = t * step.origin + (alive.first + i) * step.unit;
      return logMeanAt(mixture, t, count) >= mixture.threshold ? 0 : mass;
    });
    arrived = 1 - kept.reduce((sum, mass) => sum + mass, 0);
    if (arrived >= probability) return t;
    alive = { first: alive.first, mass: kept };
  }
  return Number.POSITIVE_INFINITY;
}

interface Lattice {
  /** Index of the first mass. */
  readonly first: number;
  readonly mass: readonly number[];
}

interface Step extends Lattice {
  /** A count is `origin + index × unit`. */
  readonly origin: number;
  readonly unit: number;
}

function latticeOf({ mean, variance, pmf }: CountLaw): Step {
  if (variance < normalFrom) {
    const reach = 10 * Math.sqrt(variance) + 10;
    // Only where the law lives: with a share near 1 the counts before it would be millions of zeros.
    const first = Math.max(0, Math.floor(mean - reach));
    const mass = Array.from({ length: Math.ceil(mean + reach) - first + 1 }, (_, i) => pmf(first + i));
    return { origin: 0, unit: 1, first, mass };
  }
  const unit = Math.sqrt(variance) / 4;
  const half = 24;
  const mass = Array.from(
    { length: 2 * half + 1 },
    (_, i) => normalCdf((i - half + 0.5) / 4) - normalCdf((i - half - 0.5) / 4),
  );
  return { origin: mean, unit, first: -half, mass };
}

function convolve(a: Lattice, b: Lattice): Lattice {
  const mass = new Array<number>(a.mass.length + b.mass.length - 1).fill(0);
  a.mass.forEach((left, i) => {
    if (left === 0) return;
    b.mass.forEach((right, j) => {
      mass[i + j] = (mass[i + j] as number) + left * right;
    });
  });
  return { first: a.first + b.first, mass };
}

function trim({ first, mass }: Lattice): Lattice {
  const from = mass.findIndex((value) => value > negligible);
  const to = mass.findLastIndex((value) => value > negligible);
  return from === -1 ? { first, mass: [0] } : { first: first + from, mass: mass.slice(from, to + 1) };
}

function logMeanAt({ perCount, perStep }: StepwiseMixture, t: number, count: number): number {
  let high = Number.NEGATIVE_INFINITY;
  const logs = perCount.map((slope, j) => {
    const log = slope * count + (perStep[j] as number) * t;
    high = Math.max(high, log);
    return log;
  });
  return high + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - high), 0) / logs.length);
}

/**
 * The amount of information (errors, requests) at which the mixture's mean path reaches the threshold: where to look first.
 * `growth` gives ln E_j per unit; infinite when none grows.
 */
export function meanPassage(growth: readonly number[], threshold: number): number {
  const best = growth.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (growth.length === 0) throw statsError('SLUICE_STATS_ARGUMENT', 'a mixture needs an alternative');
  return best > 0
    ? (requirePositive('threshold', threshold) + Math.log(growth.length)) / best
    : Number.POSITIVE_INFINITY;
}
