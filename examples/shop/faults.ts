/** exp(sigma × 2.326) = 3: the 99th percentile of the delays is three times their median. */
const SIGMA = Math.log(3) / 2.326;

/** A log-normal delay in milliseconds around the median, from numbers in [0, 1) (Box and Muller 1958). */
export function delayMs(medianMs: number, random: () => number): number {
  if (medianMs === 0) return 0;
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return medianMs * Math.exp(SIGMA * normal);
}
