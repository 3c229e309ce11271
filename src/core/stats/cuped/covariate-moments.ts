import { requireCount, requireFinite, statsError } from '../errors.ts';
import type { JointMoments } from '../summaries/joint-moments.ts';

/**
 * Checks shape and numbers of all arms and answers how many values a unit has; they must agree. At least 2 units an arm.
 * Value 0 is the metric, the others what was known of the unit before exposure. "Has pre-period data" is such a covariate too:
 * units without are never dropped. The covariate window ends before the unit's own first exposure (trap 14).
 */
export function requireMoments(arms: readonly JointMoments[], components?: number): number {
  const size = components ?? arms[0]?.means.length ?? 0;
  if (size === 0) throw statsError('SLUICE_STATS_TOO_FEW', 'at least one arm is needed');
  for (const { n, means, comoments } of arms) {
    if (requireCount('n', n) < 2) throw statsError('SLUICE_STATS_TOO_FEW', `an arm needs 2 units, not ${n}`, { n });
    const square = comoments.length === size && comoments.every((row) => row.length === size);
    if (means.length !== size || !square) {
      throw statsError('SLUICE_STATS_ARGUMENT', `every arm needs moments of ${size} components`, { size });
    }
    for (const value of [...means, ...comoments.flat()]) requireFinite('moment', value);
  }
  return size;
}
