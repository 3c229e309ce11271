import { requireCount, requireFinite, requireProbability, requireUnitInterval, statsError } from '../errors.ts';

/**
 * Counts of values in buckets whose edges grow by γ = (1 + ε)/(1 − ε): bucket i holds (γⁱ⁻¹, γⁱ]. A quantile is wrong by at
 * most ε relative to a value at its exact rank, whatever the distribution (Masson, Rim, Lee 2019, "DDSketch"). Mergeable
 * without loss; about 2,300 buckets span 1e-5 … 1e5 at ε = 0.5 %, so a cap costs at most that many numbers.
 */
export interface QuantileSketch {
  readonly relativeError: number;
  readonly zeros: number;
  readonly positive: ReadonlyMap<number, number>;
  /** Buckets of −x. */
  readonly negative: ReadonlyMap<number, number>;
}

/** A sketch of no value yet. */
export function noSketch(relativeError = 0.005): QuantileSketch {
  requireProbability('relativeError', relativeError);
  return { relativeError, zeros: 0, positive: new Map(), negative: new Map() };
}

/** A sketch of the values; a finite value below 1e-300 in size counts as 0. */
export function sketchOf(values: Iterable<number>, relativeError = 0.005): QuantileSketch {
  const { positive, negative } = { positive: new Map<number, number>(), negative: new Map<number, number>() };
  const logGamma = logGrowth(requireProbability('relativeError', relativeError));
  let zeros = 0;
  for (const value of values) {
    const size = Math.abs(requireFinite('value', value));
    if (size < 1e-300) zeros += 1;
    else add(value > 0 ? positive : negative, Math.ceil(Math.log(size) / logGamma), 1);
  }
  return { relativeError, zeros, positive, negative };
}

/** Both as one, without loss. Both need the same relative error. */
export function mergeSketches(a: QuantileSketch, b: QuantileSketch): QuantileSketch {
  if (a.relativeError !== b.relativeError) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'only sketches of the same relative error merge', {
      left: a.relativeError,
      right: b.relativeError,
    });
  }
  const positive = new Map(a.positive);
  const negative = new Map(a.negative);
  for (const [bucket, count] of b.positive) add(positive, bucket, count);
  for (const [bucket, count] of b.negative) add(negative, bucket, count);
  return { relativeError: a.relativeError, zeros: a.zeros + b.zeros, positive, negative };
}

/** The value of rank ⌊q (n − 1)⌋ to within the relative error; with `ignoreZeros` among the others only. */
export function sketchQuantile(sketch: QuantileSketch, q: number, ignoreZeros = false): number {
  requireUnitInterval('q', q);
  const total = (counts: ReadonlyMap<number, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0);
  const zeros = ignoreZeros ? 0 : sketch.zeros;
  const n = total(sketch.negative) + zeros + total(sketch.positive);
  if (requireCount('n', n) === 0) throw statsError('SLUICE_STATS_TOO_FEW', 'an empty sketch has no quantile', { n });
  let left = Math.floor(q * (n - 1));
  // 2 γⁱ / (γ + 1) = γⁱ (1 − ε): as far, relatively, from both edges.
  const middle = (bucket: number) => Math.exp(bucket * logGrowth(sketch.relativeError)) * (1 - sketch.relativeError);
  for (const [bucket, count] of [...sketch.negative].sort((x, y) => y[0] - x[0])) {
    if (left < count) return -middle(bucket);
    left -= count;
  }
  if (left < zeros) return 0;
  left -= zeros;
  let last = 0;
  for (const [bucket, count] of [...sketch.positive].sort((x, y) => x[0] - y[0])) {
    last = middle(bucket);
    if (left < count) return last;
    left -= count;
  }
  return last;
}

const logGrowth = (relativeError: number) => Math.log1p(relativeError) - Math.log1p(-relativeError);

function add(counts: Map<number, number>, bucket: number, count: number): void {
  counts.set(bucket, (counts.get(bucket) ?? 0) + count);
}
