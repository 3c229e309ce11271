/** exp(sigma × 2.326) = 3: the 99th percentile of the delays is three times their median. */
const SIGMA = Math.log(3) / 2.326;

/** A log-normal delay in milliseconds around the median, from numbers in [0, 1) (Box and Muller 1958). */
export function delayMs(medianMs: number, random: () => number): number {
  if (medianMs === 0) return 0;
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return medianMs * Math.exp(SIGMA * normal);
}

/** Computes for this much processor time, whatever else runs on the machine. */
export function burn(cpuMs: number): void {
  const before = process.threadCpuUsage();
  const spentMs = () => {
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  };
  while (cpuMs > 0 && spentMs() < cpuMs);
}

const RATE_WINDOW_MS = 2_000;

/** Requests a second over the last two seconds. */
export class RequestRate {
  #times: number[] = [];

  /** Counts a request at `nowMs` and answers the rate with it. */
  count(nowMs: number): number {
    this.#times.push(nowMs);
    const first = this.#times.findIndex((time) => nowMs - time < RATE_WINDOW_MS);
    this.#times = this.#times.slice(first);
    return (this.#times.length * 1000) / RATE_WINDOW_MS;
  }
}
