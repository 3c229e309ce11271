import type { Clock } from '../../base/clock.ts';

export interface RateLimits {
  /** Requests a second in the long run. */
  readonly perSecond: number;
  /** Requests at once after a pause. */
  readonly burst: number;
  /** Callers that are remembered; the one that was silent longest is forgotten first. */
  readonly callers: number;
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** Keeps one caller from taking the room of all others: a token bucket for each. */
export class CallerRates {
  readonly #limits: RateLimits;
  readonly #clock: Clock;
  /** The longest silent first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: RateLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Milliseconds that this caller must wait; 0: go on. */
  take(caller: string): number {
    const { perSecond, burst, callers } = this.#limits;
    const atMs = this.#clock.now();
    const before = this.#buckets.get(caller) ?? { tokens: burst, atMs };
    // Clocks may be set back.
    const refilled = (Math.max(0, atMs - before.atMs) * perSecond) / 1000;
    const tokens = Math.min(burst, before.tokens + refilled);
    const isFree = tokens >= 1;
    this.#buckets.delete(caller);
    this.#buckets.set(caller, { tokens: isFree ? tokens - 1 : tokens, atMs });
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= callers) break;
      this.#buckets.delete(oldest);
    }
    return isFree ? 0 : Math.ceil(((1 - tokens) * 1000) / perSecond);
  }
}
