/** Lower edge of the first bucket, and the factor from one edge to the next: percentiles are at most 5 % too high. */
const FIRST_MS = 0.1;
const FACTOR = 1.05;
const LONGEST_MS = 120_000;
const BUCKETS = Math.ceil(Math.log(LONGEST_MS / FIRST_MS) / Math.log(FACTOR)) + 1;

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Latencies in milliseconds in constant memory; values beyond two minutes count as two minutes. */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;
  #maxMs = 0;

  add(ms: number): void {
    const index = ms <= FIRST_MS ? 0 : Math.ceil(Math.log(ms / FIRST_MS) / Math.log(FACTOR));
    const bucket = Math.min(index, BUCKETS - 1);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /** Smallest bucket edge that at least `share` (0..1) of the values do not exceed; 0 when empty. */
  percentile(share: number): number {
    const wanted = share * this.#total;
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted && seen > 0) return Math.min(this.#maxMs, FIRST_MS * FACTOR ** bucket);
    }
    return this.#maxMs;
  }

  /** Milliseconds, rounded to a hundredth. */
  percentiles(): Percentiles {
    const round = (ms: number) => Math.round(ms * 100) / 100;
    return {
      p50: round(this.percentile(0.5)),
      p90: round(this.percentile(0.9)),
      p99: round(this.percentile(0.99)),
      max: round(this.#maxMs),
    };
  }
}
