import { statsError } from '../errors.ts';

/** A law on the line in a coordinate u where its log tails are smooth: density, lower and upper tail as logs. */
export interface InvertibleLaw {
  logCdf(u: number): number;
  logSf(u: number): number;
  /** ln of the density with respect to u. */
  logPdf(u: number): number;
}

/**
 * The u with logCdf(u) = logTarget (`lower`) or logSf(u) = logTarget, found in the log of that tail: Newton steps inside
 * a bracket that is first widened from `start`, bisection when a step leaves it. Answers an end of [least, most] when the
 * target lies beyond it.
 */
export function invertMonotone(
  law: InvertibleLaw,
  target: { readonly logTarget: number; readonly lower: boolean },
  range: { readonly start: number; readonly least: number; readonly most: number },
): number {
  const { logTarget, lower } = target;
  // Increasing in u for both tails.
  const error = (u: number) => (lower ? law.logCdf(u) - logTarget : logTarget - law.logSf(u));
  let { low, high } = bracket(error, range);
  if (low === high) return low;
  let u = Math.min(Math.max(range.start, low), high);
  for (let step = 0; step < 400; step++) {
    const at = error(u);
    if (at === 0) return u;
    if (at > 0) high = u;
    else low = u;
    const logTail = lower ? at + logTarget : logTarget - at;
    const newton = u - at * Math.exp(logTail - law.logPdf(u));
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    const change = Math.abs(next - u);
    u = next;
    if (change <= 4e-16 * Math.max(1, Math.abs(u)) || next === low || next === high) return u;
  }
  throw statsError('SLUICE_STATS_NO_ROOT', 'a quantile did not converge', { logTarget });
}

function bracket(
  error: (u: number) => number,
  { start, least, most }: { readonly start: number; readonly least: number; readonly most: number },
): { low: number; high: number } {
  let width = Math.max(1, 0.1 * Math.abs(start));
  if (error(start) > 0) {
    let high = start;
    for (;;) {
      const low = Math.max(least, high - width);
      if (error(low) <= 0) return { low, high };
      if (low === least) return { low, high: low };
      high = low;
      width *= 2;
    }
  }
  let low = start;
  for (;;) {
    const high = Math.min(most, low + width);
    if (error(high) >= 0) return { low, high };
    if (high === most) return { low: high, high };
    low = high;
    width *= 2;
  }
}
