import type { Clock } from '../../src/base/clock.ts';
import type { EpochMs } from '../../src/base/units.ts';

/** Time that moves only by `advance`, and never backwards. Timers run in the order in which they are due. */
export class FakeClock implements Clock {
  #now: number;
  #timers: { at: number; run: () => void }[] = [];

  constructor(startMs = 1_800_000_000_000) {
    this.#now = startMs;
  }

  now(): EpochMs {
    return this.#now as EpochMs;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer);
    };
  }

  /** Runs every timer that falls due within the next `ms`, letting promises settle after each. */
  async advance(ms: number): Promise<void> {
    if (ms < 0) throw new Error('time does not go backwards');
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((t) => t !== next);
      this.#now = next.at;
      next.run();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#now = end;
  }
}
