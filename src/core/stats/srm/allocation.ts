import { requireCount, requireUnitInterval, statsError } from '../errors.ts';

/** How far planned shares may miss 1 before they count as a mistake and not as rounding. */
const sumTolerance = 1e-9;

/**
 * Checks units per arm against planned shares: same length, at least two arms with a share, shares sum to 1, counts are
 * integers that a double holds exactly. Throws SLUICE_STATS_ARGUMENT.
 */
export function requireAllocation(counts: readonly number[], shares: readonly number[]): void {
  if (counts.length !== shares.length) {
    const facts = { counts: counts.length, shares: shares.length };
    throw statsError('SLUICE_STATS_ARGUMENT', 'there must be one share for each count', facts);
  }
  for (const count of counts) requireCount('units of an arm', count);
  const sum = shares.reduce((total, share) => total + requireUnitInterval('share', share), 0);
  if (Math.abs(sum - 1) > sumTolerance) {
    throw statsError('SLUICE_STATS_ARGUMENT', `shares must sum to 1, not ${sum}`, { sum });
  }
  if (shares.filter((share) => share > 0).length < 2) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'a sample ratio needs at least two arms with a share');
  }
}

/** True when an arm that should get nobody has units: no ratio of positive shares explains that. */
export function hasUnplannedUnits(counts: readonly number[], shares: readonly number[]): boolean {
  return counts.some((count, arm) => count > 0 && shares[arm] === 0);
}
