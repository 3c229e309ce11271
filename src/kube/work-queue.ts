import { type BackoffLimits, backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { EpochMs } from '../base/units.ts';
import type { ObjectKey } from './resource.ts';

/** Why a pass's signal aborted when `add(key, { urgent: true })` came meanwhile; the key runs again at once. */
export class Superseded extends Error {}

export interface AddOptions {
  /** Not before this moment. The earliest of several moments counts. Default: now. */
  readonly at?: EpochMs | undefined;
  /** Before all others, and instead of the pass that runs for this key: its signal aborts. */
  readonly urgent?: boolean | undefined;
}

export interface Taken {
  readonly key: ObjectKey;
  readonly urgent: boolean;
  readonly signal: AbortSignal;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

interface Entry {
  /** Set while a pass for the key runs. */
  running?: AbortController | undefined;
  ready: 'no' | 'ordinary' | 'urgent';
  due?: { at: EpochMs; cancel: () => void } | undefined;
  failures: number;
}

export interface QueuePorts {
  readonly clock: Clock;
  readonly random: Random;
  /** Waits after the first and at most after any failure. Default 50 ms, doubling to 60 s. */
  readonly backoff?: BackoffLimits;
}

/**
 * Keys that wait for a pass. A key waits at most once, and never runs twice at a time: what is added while it runs makes
 * it run once more. First come, first served. Only failures slow a key down, and only that key. Adding for now forgets a
 * later moment: the pass itself says when to look again.
 */
export class WorkQueue {
  readonly #ports: QueuePorts;
  readonly #entries = new Map<ObjectKey, Entry>();
  readonly #ordinary = new Set<ObjectKey>(); // sets keep the order of adding
  readonly #urgent = new Set<ObjectKey>();
  #onReady: () => void = () => {};
  #closed = false;

  constructor(ports: QueuePorts) {
    this.#ports = ports;
  }

  /** Keys that could run now. */
  get ready(): number {
    return this.#ordinary.size + this.#urgent.size;
  }

  /** `listener` is called when a key becomes ready to be taken. One listener: the worker. */
  onReady(listener: () => void): void {
    this.#onReady = listener;
  }

  add(key: ObjectKey, { at, urgent = false }: AddOptions = {}): void {
    if (this.#closed) return;
    const entry = this.#entryOf(key);
    if (at !== undefined && at > this.#ports.clock.now()) {
      this.#schedule(key, entry, at);
      return;
    }
    this.#unschedule(entry);
    if (entry.ready !== 'urgent') entry.ready = urgent ? 'urgent' : 'ordinary';
    if (!entry.running) this.#offer(key, entry);
    else if (urgent) entry.running.abort(new Superseded(`a more urgent pass for ${key} is due`));
  }

  /** Takes the next key; with `urgentOnly`, only an urgent one. Every taken key must be given to `finish`. */
  take(urgentOnly = false): Taken | undefined {
    const [key] = this.#urgent.size > 0 || urgentOnly ? this.#urgent : this.#ordinary;
    if (key === undefined) return undefined;
    const urgent = this.#urgent.delete(key);
    this.#ordinary.delete(key);
    const entry = this.#entryOf(key);
    entry.ready = 'no';
    entry.running = new AbortController();
    return { key, urgent, signal: entry.running.signal };
  }

  /**
   * Ends the pass of a key. `done` forgets its failures and runs it again at `at`, if given; `failed` runs it again after a
   * backoff, or after `notBeforeMs` if that is longer. What was added meanwhile runs at once in either case.
   */
  finish(key: ObjectKey, outcome: { done: { at?: EpochMs | undefined } } | { failed: { notBeforeMs?: number } }): void {
    const entry = this.#entryOf(key);
    entry.running = undefined;
    entry.failures = 'failed' in outcome ? entry.failures + 1 : 0;
    if (this.#closed) return;
    if (entry.ready !== 'no') this.#offer(key, entry);
    else if ('failed' in outcome) this.add(key, { at: this.#retryAt(entry.failures, outcome.failed.notBeforeMs) });
    else if (outcome.done.at !== undefined) this.add(key, { at: outcome.done.at });
    else if (!entry.due) this.#entries.delete(key);
  }

  /** Ends the pass of a key that was superseded: neither success nor failure. */
  yieldTo(key: ObjectKey): void {
    const entry = this.#entryOf(key);
    entry.running = undefined;
    if (!this.#closed) this.#offer(key, entry);
  }

  /** Forgets what waits and aborts what runs. Nothing can be added any more. */
  close(reason: Error): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) {
      this.#unschedule(entry);
      entry.running?.abort(reason);
    }
    this.#ordinary.clear();
    this.#urgent.clear();
  }

  #entryOf(key: ObjectKey): Entry {
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = { ready: 'no', failures: 0 };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #offer(key: ObjectKey, entry: Entry): void {
    const urgent = entry.ready === 'urgent';
    if (urgent) this.#ordinary.delete(key);
    (urgent ? this.#urgent : this.#ordinary).add(key);
    this.#onReady();
  }

  #schedule(key: ObjectKey, entry: Entry, at: EpochMs): void {
    if (entry.ready !== 'no' || (entry.due && entry.due.at <= at)) return;
    this.#unschedule(entry);
    // A pass that comes too early looks again; a timer beyond its range would fire at once, for ever.
    const waitMs = Math.min(at - this.#ports.clock.now(), MAX_TIMER_MS);
    entry.due = { at, cancel: this.#ports.clock.after(waitMs, () => this.add(key)) };
  }

  #unschedule(entry: Entry): void {
    entry.due?.cancel();
    entry.due = undefined;
  }

  #retryAt(failures: number, notBeforeMs = 0): EpochMs {
    const { clock, random, backoff = { firstMs: 50, maxMs: 60_000 } } = this.#ports;
    return (clock.now() + Math.max(notBeforeMs, backoffMs(failures, backoff, random))) as EpochMs;
  }
}
