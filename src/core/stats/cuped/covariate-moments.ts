import { requireCount, requireFinite, requireNonNegative, statsError } from '../errors.ts';
import type { JointMoments } from '../summaries/joint-moments.ts';

/**
 * Checks shape and numbers of all arms and answers how many values a unit has; they must agree. At least 2 units an arm,
 * and covariances that units can have.
 * Value 0 is the metric, the others what was known of the unit before exposure. "Has pre-period data" is such a covariate too:
 * units without are never dropped. The covariate window ends before the unit's own first exposure (trap 14).
 */
export function requireMoments(arms: readonly JointMoments[], components?: number): number {
  const size = components ?? arms[0]?.means.length ?? 0;
  if (size === 0 || arms.length === 0) throw statsError('SLUICE_STATS_TOO_FEW', 'at least one arm is needed');
  for (const arm of arms) {
    const { n, means, comoments } = arm;
    if (requireCount('n', n) < 2) throw statsError('SLUICE_STATS_TOO_FEW', `an arm needs 2 units, not ${n}`, { n });
    const square = comoments.length === size && comoments.every((row) => row.length === size);
    if (means.length !== size || !square) {
      throw statsError('SLUICE_STATS_ARGUMENT', `every arm needs moments of ${size} components`, { size });
    }
    for (const value of [...means, ...comoments.flat()]) requireFinite('moment', value);
    requireCovariances(arm);
  }
  return size;
}

/** Rounding of warehouse sums, as a share of the raw products; what is off by more was never summed over the same units. */
const rounding = 1e-6;

/** No value has a sum of squares below 0, and no two have a product that their own spreads cannot reach. */
function requireCovariances({ n, means, comoments }: JointMoments): void {
  const spreads = means.map((_, i) => Math.sqrt(requireNonNegative('sum of squares', comoments[i]?.[i] ?? Number.NaN)));
  const sizes = spreads.map((spread, i) => Math.hypot(spread, Math.sqrt(n) * (means[i] as number)));
  comoments.forEach((row, i) => {
    row.forEach((product, j) => {
      const slack = rounding * (sizes[i] as number) * (sizes[j] as number);
      const fits = Math.abs(product) <= (spreads[i] as number) * (spreads[j] as number) + slack;
      const mirrored = Math.abs(product - (comoments[j]?.[i] ?? Number.NaN)) <= slack;
      if (fits && mirrored) return;
      throw statsError('SLUICE_STATS_ARGUMENT', `the products of values ${i} and ${j} contradict their squares`, {
        i,
        j,
      });
    });
  });
}
