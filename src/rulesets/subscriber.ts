import type { Writable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { EpochMs } from '../base/units.ts';

/** Someone who reads nothing for this long is gone, or as good as gone. */
const STUCK_MS = 30_000;
/**
 * A frame is one memory for all, but TLS makes a copy of what is written for each: so it is written in pieces, the next when the
 * one before is gone. A thousand who read slowly hold 32 MiB, however large the ruleset is.
 */
const PIECE_BYTES = 32_768;

/**
 * One open stream. Whoever reads slowly has one event on its way and is owed one, the newest: events in between are skipped,
 * so that its memory is bounded by what the hub holds anyway.
 */
export class Subscriber {
  readonly connectedAt: EpochMs;
  /** The newest revision that it had, or was sent. */
  has: number | undefined;
  /** Revision that it last said it runs. */
  running = -1;
  /** Seconds until it ran each revision that is measured, or a newer one. */
  readonly seconds = new Map<number, number>();
  readonly #out: Writable;
  readonly #clock: Clock;
  /** What is left of the event that is on its way. */
  #rest: Buffer | undefined;
  #owed: Buffer | undefined;
  #waitingSince: EpochMs | undefined;

  constructor(out: Writable, clock: Clock, has: number | undefined) {
    this.has = has;
    this.#out = out;
    this.#clock = clock;
    this.connectedAt = clock.now();
    out.on('drain', () => {
      this.#waitingSince = undefined;
      this.#write();
    });
  }

  send(frame: Buffer): void {
    this.#owed = frame;
    this.#write();
  }

  #write(): void {
    while (this.#waitingSince === undefined) {
      if (!this.#rest) {
        this.#rest = this.#owed;
        this.#owed = undefined;
        if (!this.#rest) return;
      }
      const piece = this.#rest.subarray(0, PIECE_BYTES);
      this.#rest = piece.length < this.#rest.length ? this.#rest.subarray(PIECE_BYTES) : undefined;
      if (!this.#out.write(piece)) this.#waitingSince = this.#clock.now();
    }
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
