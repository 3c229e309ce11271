import { requireNonNegative, requirePositive, statsError } from '../errors.ts';

/**
 * Days until so many distinct units have come, from the distinct units seen after each whole day so far (§2.17): returning
 * visitors make the curve bend, so days × units a day promises too much. Inside the curve it is interpolated; beyond, it goes
 * on as the power law through its last half, whose exponent lies in [0, 1]. Infinity when the curve has gone flat.
 */
export function daysUntil(distinctUnitsByDay: readonly number[], units: number): number {
  requireNonNegative('units', units);
  if (distinctUnitsByDay.length === 0) {
    throw statsError('SLUICE_STATS_TOO_FEW', 'a runtime needs the units of at least one day', { needed: 1 });
  }
  let before = 0;
  for (const [day, seen] of distinctUnitsByDay.entries()) {
    requirePositive('distinct units', seen);
    if (seen < before)
      throw statsError('SLUICE_STATS_ARGUMENT', 'distinct units cannot become fewer', { day: day + 1 });
    if (units <= seen) return day + (seen === before ? 0 : Math.max(0, units - before) / (seen - before));
    before = seen;
  }
  const days = distinctUnitsByDay.length;
  const middle = Math.ceil(days / 2);
  const exponent =
    middle === days ? 1 : Math.log(before / (distinctUnitsByDay[middle - 1] as number)) / Math.log(days / middle);
  return days * (units / before) ** (1 / Math.min(1, exponent));
}
