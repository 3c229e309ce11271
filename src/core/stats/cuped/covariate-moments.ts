import { requireCount, requireFinite, statsError } from '../errors.ts';

/**
 * Moments of the units of one arm for a metric and what was known of them before exposure: component 0 is the metric, the
 * others are covariates (a ratio has four components, `ratio.ts`). An indicator "has pre-period data" is a covariate too;
 * units without such data are never dropped. The covariate window ends before the unit's own first exposure (trap 14).
 */
export interface CovariateMoments {
  readonly n: number;
  readonly mean: readonly number[];
  /** Σ (v_i − mean_i)(v_j − mean_j), square and symmetric. */
  readonly comoments: readonly (readonly number[])[];
}

/** Checks shape and numbers of all arms; they must agree on the components. At least 2 units an arm. */
export function requireMoments(arms: readonly CovariateMoments[], components?: number): number {
  const size = components ?? arms[0]?.mean.length ?? 0;
  if (size === 0) throw statsError('SLUICE_STATS_TOO_FEW', 'at least one arm is needed');
  for (const { n, mean, comoments } of arms) {
    if (requireCount('n', n) < 2) throw statsError('SLUICE_STATS_TOO_FEW', `an arm needs 2 units, not ${n}`, { n });
    const square = comoments.length === size && comoments.every((row) => row.length === size);
    if (mean.length !== size || !square) {
      throw statsError('SLUICE_STATS_ARGUMENT', `every arm needs moments of ${size} components`, { size });
    }
    for (const value of [...mean, ...comoments.flat()]) requireFinite('moment', value);
  }
  return size;
}

/** Sample covariance of two components (ddof 1). */
export const covariance = ({ n, comoments }: CovariateMoments, i: number, j: number): number =>
  (comoments[i]?.[j] ?? 0) / (n - 1);
