import { backoffMs } from '../../base/backoff.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { backgroundClock } from './background-clock.ts';
import { exposureIdentity } from './exposure-identity.ts';
import { type SendResult, sendExposures, type Target } from './exposure-sender.ts';
import { type LastMoments, lastMoments } from './last-moments.ts';
import { RecentKeys } from './recent-keys.ts';

export interface ExposuresOptions {
  /** Base URL of the evaluator, such as `http://127.0.0.1:8016`; the same as for OFREP. */
  readonly url: string;
  /** Sent with each batch, a key of the client for example. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long exposures are gathered, in milliseconds; default 2,000. */
  readonly gatherMs?: number;
}

export interface ExposuresPorts {
  readonly clock: Clock;
  /** Its timers hold no process back from ending. */
  readonly background: Clock;
  readonly random: Random;
  readonly fetch: typeof fetch;
  readonly moments: LastMoments;
}

/** Since the beginning. */
export interface ExposureCounts {
  /** Taken by the evaluator; also what it had already. */
  readonly sent: number;
  /** Recorded before, by this object. */
  readonly duplicates: number;
  /** Items that the evaluator answered with an error: tokens of another namespace, for example. */
  readonly rejected: number;
  /** Lost: there was no room, the batch was refused, or `close` came before the evaluator. */
  readonly dropped: number;
  /** Not yet taken. */
  readonly waiting: number;
}

/** Attributes that results are broken down by: up to 32. */
export type ExposureDimensions = Readonly<Record<string, string | number | boolean>>;

/** For `addHooks` of OpenFeature's SDKs, on servers and in browsers. */
export interface ExposureHook {
  after(context: unknown, details: { readonly flagMetadata?: Readonly<Record<string, unknown>> }): void;
}

interface Report {
  readonly text: string;
  readonly bytes: number;
}

const GATHER_MS = 2_000;
const MAX_WAITING = 1_000;
/** A browser lets 64 KiB outlive a page: the batch that is under way when the page goes, and one more. */
const MAX_BATCH_BYTES = 30_000;
const MAX_REPORT_BYTES = 16_384;
const REMEMBERED = 10_000;
const BACKOFF = { firstMs: 1_000, maxMs: 60_000 };
const CLOSE_MS = 3_000;
const CLOSE_PAUSE_MS = 200;

/**
 * Tells the evaluator what was shown, in batches: each exposure once, again after failures with the same time and token (so
 * it has the same id), at once when the page is hidden, and before a process ends that has nothing left to do. What does
 * not fit is dropped and counted. Nothing here throws or rejects.
 */
export class Exposures {
  readonly #target: Target;
  readonly #gatherMs: number;
  readonly #ports: ExposuresPorts;
  readonly #remembered = new RecentKeys(REMEMBERED);
  readonly #underWay = new Set<Promise<boolean>>();
  readonly #stop = new AbortController();
  readonly #unlisten: readonly (() => void)[];
  readonly #counts = { sent: 0, duplicates: 0, rejected: 0, dropped: 0 };
  /** Oldest first. */
  #pending: Report[] = [];
  #underWayCount = 0;
  #failures = 0;
  #cancelTimer: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** `ports` is for tests. */
  constructor({ url, headers = {}, gatherMs = GATHER_MS }: ExposuresOptions, ports: Partial<ExposuresPorts> = {}) {
    const fetchHere: typeof fetch = (input, init) => globalThis.fetch(input, init);
    const clocks = { clock: systemClock, background: backgroundClock };
    this.#ports = { ...clocks, random: Math.random, fetch: fetchHere, moments: lastMoments, ...ports };
    this.#target = { url: `${url.replace(/\/+$/, '')}/exposures`, headers, ...this.#ports };
    this.#gatherMs = gatherMs;
    const { moments } = this.#ports;
    // Whatever is under way or rests after a failure: there may be no other time.
    const hidden = () => void this.#sendBatch();
    this.#unlisten = [moments.onPageHidden(hidden), moments.onProcessIdle(() => void this.flush())];
  }

  /** Records the exposure of every evaluation whose answer carries a token. */
  readonly hook: ExposureHook = {
    after: (_context, { flagMetadata }) => {
      const token = flagMetadata?.exposureToken;
      if (typeof token === 'string') this.record(token);
    },
  };

  get counts(): ExposureCounts {
    return { ...this.#counts, waiting: this.#waiting };
  }

  /** The unit has been shown what the answer said that carried this `exposureToken`. */
  record(token: string, dimensions?: ExposureDimensions): void {
    const identity = exposureIdentity(token);
    if (this.#remembered.has(identity)) {
      this.#counts.duplicates++;
      return;
    }
    const text = JSON.stringify({ token, time: new Date(this.#ports.clock.now()).toISOString(), dimensions });
    const report = { text, bytes: new TextEncoder().encode(text).length };
    if (this.#closing || this.#waiting >= MAX_WAITING || report.bytes > MAX_REPORT_BYTES) {
      this.#counts.dropped++; // and not remembered: the next evaluation tries again
      return;
    }
    this.#remembered.add(identity);
    this.#pending.push(report);
    this.#wake(this.#gatherMs);
  }

  /** Sends what waits. Resolves when all of it was taken, or an attempt failed: then it is sent again later. */
  async flush(): Promise<void> {
    await Promise.all(this.#underWay);
    while (this.#pending.length > 0 && (await this.#sendBatch()));
  }

  /** Sends what waits for up to 3 s, drops the rest, and takes nothing more. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  get #waiting(): number {
    return this.#pending.length + this.#underWayCount;
  }

  async #close(): Promise<void> {
    for (const unlisten of this.#unlisten) unlisten();
    const { clock } = this.#ports;
    const cancel = clock.after(CLOSE_MS, () => this.#stop.abort());
    while (this.#waiting > 0 && !this.#stop.signal.aborted) {
      await this.flush();
      if (this.#waiting > 0) await new Promise<void>((resolve) => clock.after(CLOSE_PAUSE_MS, resolve));
    }
    cancel();
    this.#cancelTimer?.();
    this.#counts.dropped += this.#pending.length;
    this.#pending = [];
  }

  /** Sees to it that a batch is sent in `ms`, unless one is about to be. */
  #wake(ms: number): void {
    if (this.#cancelTimer || this.#underWay.size > 0) return;
    this.#cancelTimer = this.#ports.background.after(ms, () => {
      this.#cancelTimer = undefined;
      void this.flush();
    });
  }

  /** Answers whether the batch is off our hands. */
  async #sendBatch(): Promise<boolean> {
    const batch = takeBatch(this.#pending);
    if (batch.length === 0) return true;
    this.#underWayCount += batch.length;
    const body = `{"exposures":[${batch.map(({ text }) => text).join()}]}`;
    const done = sendExposures(this.#target, body, this.#stop.signal).then((result) => {
      this.#underWay.delete(done);
      this.#underWayCount -= batch.length;
      return this.#settle(batch, result);
    });
    this.#underWay.add(done);
    return done;
  }

  #settle(batch: readonly Report[], result: SendResult): boolean {
    if (result.kind === 'Failed') {
      this.#pending.unshift(...batch);
      this.#failures++;
      const pauseMs = backoffMs(this.#failures, BACKOFF, this.#ports.random);
      if (!this.#closing) this.#wake(Math.max(pauseMs, Math.min(result.retryAfterMs ?? 0, BACKOFF.maxMs)));
      return false;
    }
    this.#failures = 0;
    if (result.kind === 'Refused') this.#counts.dropped += batch.length;
    else {
      this.#counts.rejected += result.rejected;
      this.#counts.sent += batch.length - result.rejected;
    }
    if (this.#pending.length > 0 && !this.#closing) this.#wake(this.#gatherMs);
    return true;
  }
}

/** Takes the oldest that fit into one batch, at least one. */
function takeBatch(pending: Report[]): Report[] {
  let bytes = 0;
  const fits = pending.findIndex((report) => {
    bytes += report.bytes + 1;
    return bytes > MAX_BATCH_BYTES;
  });
  return pending.splice(0, fits === -1 ? pending.length : fits);
}
