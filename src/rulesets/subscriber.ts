import type { Writable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { EpochMs } from '../base/units.ts';

/** Someone who reads nothing for this long is gone, or as good as gone. */
const STUCK_MS = 30_000;
/**
 * A frame is one memory for all, but TLS makes a copy of what is written for each, and keeps the room: so it is written in pieces of
 * less than a record of TLS, the next when the one before is gone.
 */
const PIECE_BYTES = 15_000;

/**
 * One open stream. Whoever reads slowly has one event on its way and is owed one, the newest: events in between are skipped,
 * so that its memory is bounded by what the hub holds anyway.
 */
export class Subscriber {
  readonly connectedAt: EpochMs;
  /** The revision that it had when it came; undefined once it was sent something of its flag set. */
  cameWith: number | undefined;
  readonly #out: Writable;
  readonly #clock: Clock;
  /** What is left of the event that is on its way. */
  #rest: Buffer | undefined;
  #owed: Buffer | undefined;
  /** Since when a piece is on its way. */
  #writingSince: EpochMs | undefined;

  constructor(out: Writable, clock: Clock, cameWith: number | undefined) {
    this.cameWith = cameWith;
    this.#out = out;
    this.#clock = clock;
    this.connectedAt = clock.now();
  }

  send(frame: Buffer): void {
    this.#owed = frame;
    if (this.#writingSince === undefined) this.#write();
  }

  #write(): void {
    this.#writingSince = undefined;
    if (!this.#rest) {
      this.#rest = this.#owed;
      this.#owed = undefined;
    }
    const piece = this.#rest?.subarray(0, PIECE_BYTES);
    if (!piece || this.#out.destroyed) return;
    this.#rest = this.#rest?.subarray(PIECE_BYTES);
    if (this.#rest?.length === 0) this.#rest = undefined;
    this.#writingSince = this.#clock.now();
    this.#out.write(piece, () => this.#write());
  }

  /** Pings are for those who are idle; false: it is stuck and was cut off. */
  ping(frame: Buffer): boolean {
    if (this.#writingSince === undefined) {
      this.send(frame);
      return true;
    }
    if (this.#clock.now() - this.#writingSince < STUCK_MS) return true;
    this.#out.destroy();
    return false;
  }

  end(): void {
    // Who does not read would never see an end.
    if (this.#writingSince === undefined) this.#out.end();
    else this.#out.destroy();
  }
}
