/** Pearson's chi-square and its degrees of freedom, summed over stretches that are fitted apart. JSON. */
export interface Spread {
  readonly chiSquare: number;
  readonly degrees: number;
}

export const noSpread: Spread = { chiSquare: 0, degrees: 0 };

/** Degrees of freedom below which the dispersion is not trusted: the first 10 intervals, less the fitted rate. */
export const warmUpDegrees = 9;

/** Adds a stretch of intervals that was fitted with one free number. */
export const addStretch = (spread: Spread, chiSquare: number, intervals: number): Spread =>
  intervals < 2 ? spread : { chiSquare: spread.chiSquare + chiSquare, degrees: spread.degrees + intervals - 1 };

/**
 * How much more the intervals vary than independent errors would: at least 1. ln E is divided by it, which turns 22 % false
 * alarms under bursty errors into 2 % (statistics.md §2.19).
 */
export const dispersionOf = ({ chiSquare, degrees }: Spread): number =>
  degrees === 0 ? 1 : Math.max(1, chiSquare / degrees);
