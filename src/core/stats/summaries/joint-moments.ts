import { requireCount, requireFinite, statsError } from '../errors.ts';

/**
 * Count, means and co-moments of several values of the same unit (numerator and denominator, metric and covariate):
 * `comoments[i][j]` = Σ (xᵢ − meanᵢ)(xⱼ − meanⱼ), symmetric. Mergeable and stable like `Moments` (§2.1).
 */
export interface JointMoments {
  readonly n: number;
  readonly means: readonly number[];
  readonly comoments: readonly (readonly number[])[];
}

/** Moments of no unit yet. */
export function noJointMoments(dimensions: number): JointMoments {
  if (requireCount('dimensions', dimensions) > 100) {
    throw statsError('SLUICE_STATS_ARGUMENT', `at most 100 values of a unit, not ${dimensions}`, { dimensions });
  }
  const zeros = new Array<number>(dimensions).fill(0);
  return { n: 0, means: zeros, comoments: zeros.map(() => zeros) };
}

/** One more unit. */
export function addJoint(moments: JointMoments, values: readonly number[]): JointMoments {
  for (const value of values) requireFinite('value', value);
  const zeros = values.map(() => 0);
  return mergeJoint(moments, { n: 1, means: values, comoments: values.map(() => zeros) });
}

/** The joint moments of units, one row of values each. */
export function jointMomentsOf(rows: Iterable<readonly number[]>, dimensions: number): JointMoments {
  let moments = noJointMoments(dimensions);
  for (const row of rows) moments = addJoint(moments, row);
  return moments;
}

/** Both parts as one (Chan, Golub, LeVeque 1979, for products): associative and commutative but for rounding. */
export function mergeJoint(a: JointMoments, b: JointMoments): JointMoments {
  if (a.means.length !== b.means.length) {
    const facts = { left: a.means.length, right: b.means.length };
    throw statsError('SLUICE_STATS_ARGUMENT', 'only moments of the same values merge', facts);
  }
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const distance = a.means.map((mean, i) => (b.means[i] as number) - mean);
  const weight = a.n * (b.n / n);
  return {
    n,
    means: a.means.map((mean, i) => mean + (distance[i] as number) * (b.n / n)),
    comoments: a.comoments.map((row, i) =>
      row.map((value, j) => value + comoment(b, i, j) + (distance[i] as number) * (distance[j] as number) * weight),
    ),
  };
}

/**
 * From a count, sums Σ xᵢ and products Σ xᵢ xⱼ (full symmetric table), as a warehouse returns them, shifted by `shifts` when
 * means are large against spreads (trap 6).
 */
export function jointMomentsOfSums(sums: {
  readonly n: number;
  readonly sums: readonly number[];
  readonly products: readonly (readonly number[])[];
  readonly shifts?: readonly number[];
}): JointMoments {
  const dimensions = sums.sums.length;
  if (sums.products.length !== dimensions || sums.products.some((row) => row.length !== dimensions)) {
    throw statsError('SLUICE_STATS_ARGUMENT', `products must be ${dimensions} × ${dimensions}`, { dimensions });
  }
  for (const value of [...sums.sums, ...sums.products.flat()]) requireFinite('sum', value);
  if (requireCount('n', sums.n) === 0) return noJointMoments(dimensions);
  return {
    n: sums.n,
    means: sums.sums.map((sum, i) => sum / sums.n + (sums.shifts?.[i] ?? 0)),
    comoments: sums.products.map((row, i) => row.map((product, j) => centred(sums, product, i, j))),
  };
}

function centred({ n, sums }: { n: number; sums: readonly number[] }, product: number, i: number, j: number): number {
  const value = product - ((sums[i] as number) * (sums[j] as number)) / n;
  if (i !== j) return value;
  if (value < -1e-9 * product) {
    throw statsError('SLUICE_STATS_ARGUMENT', `the sum of squares ${product} is too small for its sum`, { index: i });
  }
  return Math.max(0, value);
}

/** Mean of value i. */
export function meanAt(moments: JointMoments, i: number): number {
  return moments.means[i] ?? outside(i, i);
}

function comoment(moments: JointMoments, i: number, j: number): number {
  return moments.comoments[i]?.[j] ?? outside(i, j);
}

/** Sample covariance of values i and j (divisor n − 1); the variance for i = j. Throws SLUICE_STATS_TOO_FEW below 2 units. */
export function covariance(moments: JointMoments, i: number, j: number): number {
  const { n } = moments;
  if (n < 2) throw statsError('SLUICE_STATS_TOO_FEW', `a covariance needs 2 units, not ${n}`, { n, needed: 2 });
  return comoment(moments, i, j) / (n - 1);
}

function outside(i: number, j: number): never {
  throw statsError('SLUICE_STATS_ARGUMENT', `no value ${i}, ${j} in these moments`, { i, j });
}
