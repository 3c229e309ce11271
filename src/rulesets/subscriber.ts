import type { Writable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { EpochMs } from '../base/units.ts';

/** Someone who reads nothing for this long is gone, or as good as gone. */
const STUCK_MS = 30_000;

/**
 * One open stream. Whoever reads slowly has one event on its way and is owed one, the newest: events in between are skipped,
 * so that its memory is bounded by what the hub holds anyway.
 */
export class Subscriber {
  readonly connectedAt: EpochMs;
  /** The newest revision that it had, or was sent. */
  has: number | undefined;
  readonly #out: Writable;
  readonly #clock: Clock;
  #owed: Buffer | undefined;
  #waitingSince: EpochMs | undefined;

  constructor(out: Writable, clock: Clock, has: number | undefined) {
    this.has = has;
    this.#out = out;
    this.#clock = clock;
    this.connectedAt = clock.now();
    out.on('drain', () => {
      this.#waitingSince = undefined;
      const owed = this.#owed;
      this.#owed = undefined;
      if (owed) this.send(owed);
    });
  }

  send(frame: Buffer): void {
    if (this.#waitingSince !== undefined) this.#owed = frame;
    else if (!this.#out.write(frame)) this.#waitingSince = this.#clock.now();
  }

  /** Pings are for those who are idle; false: it is stuck and was cut off. */
  ping(frame: Buffer): boolean {
    if (this.#waitingSince === undefined) {
      this.send(frame);
      return true;
    }
    if (this.#clock.now() - this.#waitingSince < STUCK_MS) return true;
    this.#out.destroy();
    return false;
  }

  end(): void {
    // Who does not read would never see an end.
    if (this.#waitingSince === undefined) this.#out.end();
    else this.#out.destroy();
  }
}
