import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { SluiceError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { DropReason, EventCounters } from './event-counters.ts';
import type { QueuedEvent } from './queued-event.ts';
import { encodeRecord, type Records } from './record.ts';
import { Segment } from './segment.ts';

export interface QueueOptions {
  /** Used by one process at a time. Made when it is missing. */
  readonly directory: string;
  /** A segment is full at this length; only an append that is longer by itself makes a longer one. */
  readonly segmentBytes: number;
  /** At most this many segments, ≥ 2; then the oldest gives way. */
  readonly maxSegments: number;
  /** What may wait in memory for the disk. */
  readonly maxPendingBytes: number;
}

export interface QueuePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: EventCounters;
}

/** Events from the head of the queue. They stay there until they are acknowledged. */
export interface Batch extends Records {
  readonly segment: Segment;
}

interface Append {
  readonly records: Buffer;
  readonly events: number;
  resolve(): void;
  reject(error: SluiceError): void;
}

const NAME = /^(\d{12})\.events$/;
/** After a failed write the disk is left alone for this long. */
const DISK_REST_MS = 1_000;

/**
 * Events on disk, oldest first, in segments (docs/decisions/0170). `append` resolves when the events were handed to the
 * system: they survive the end of this process at any point, also by kill -9. Segments are forced to the disk when they are
 * full and at `close`, so a machine that loses power loses one segment at most.
 */
export class EventQueue {
  readonly #options: QueueOptions;
  readonly #ports: QueuePorts;
  readonly #segments: Segment[] = [];
  readonly #pending: Append[] = [];
  readonly #waiters = new Set<() => void>();
  #lastSequence = 0;
  #pendingBytes = 0;
  #isWriting = false;
  #isClosed = false;
  #isTakenUp = false;
  #diskRestsUntil = 0;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(options: QueueOptions, ports: QueuePorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** Takes up what an earlier process left. Never rejects: what cannot be read is logged and counted, and the queue works on. */
  static async open(options: QueueOptions, ports: QueuePorts): Promise<EventQueue> {
    const queue = new EventQueue(options, ports);
    await queue.#takeUp().catch((error) => queue.#complain(error, 'the events of an earlier run cannot be read'));
    queue.#tell();
    return queue;
  }

  /** Events that wait to be acknowledged. */
  get waiting(): number {
    return this.#segments.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** Length of all files. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Resolves when all events are written; rejects with SLUICE_EVENTS_OVERLOADED when too much waits for the disk already,
   * SLUICE_EVENTS_STORE when the disk cannot take them. After a rejection nothing was promised.
   */
  append(events: readonly QueuedEvent[]): Promise<void> {
    const { clock } = this.#ports;
    if (this.#isClosed) return Promise.reject(storeError('the queue is closed'));
    if (clock.now() < this.#diskRestsUntil) return Promise.reject(storeError('the last write failed a moment ago'));
    const records = Buffer.concat(events.map(encodeRecord));
    if (this.#pendingBytes + records.length > this.#options.maxPendingBytes)
      return Promise.reject(
        new SluiceError('SLUICE_EVENTS_OVERLOADED', 'more events came than the disk takes', {
          pendingBytes: this.#pendingBytes,
        }),
      );
    this.#pendingBytes += records.length;
    return new Promise((resolve, reject) => {
      this.#pending.push({ records, events: events.length, resolve, reject });
      if (!this.#isWriting) void this.#writePending();
    });
  }

  /** Up to `maxEvents` events of about `maxBytes` from the head of the queue; undefined when it is empty. */
  take(maxEvents: number, maxBytes: number): Promise<Batch | undefined> {
    return this.#exclusively(async () => {
      for (let head = this.#head(); head !== undefined; head = this.#head()) {
        const batch = await this.#read(head, maxEvents, maxBytes);
        if (batch !== undefined) return batch;
      }
      return undefined;
    });
  }

  /** Removes what `take` gave. Only the batch that was taken last can be acknowledged, once. */
  acknowledge({ segment, ...records }: Batch): Promise<void> {
    return this.#exclusively(async () => {
      if (!this.#segments.includes(segment)) return; // it gave way meanwhile
      segment.acknowledge(records);
      if (segment.waiting === 0) await this.#remove(segment);
      this.#tell();
    });
  }

  /** Resolves when there is something to take; rejects with the signal's reason. */
  whenFilled(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.#head() !== undefined) return resolve();
      const leave = () => {
        this.#waiters.delete(filled);
        reject(signal.reason);
      };
      const filled = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiters.add(filled);
    });
  }

  /** Writes what was promised to be written, forces it to the disk and takes nothing any more. Never rejects for what the disk does. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#isWriting) await this.#turn;
    await this.#exclusively(async () => {
      for (const segment of this.#segments)
        await segment.seal().catch((error) => this.#complain(error, 'events cannot be forced to the disk'));
    });
  }

  #head(): Segment | undefined {
    return this.#segments.find(({ waiting }) => waiting > 0);
  }

  /** Runs one after the other whatever touches the files. */
  #exclusively<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #writePending(): Promise<void> {
    this.#isWriting = true;
    while (this.#pending.length > 0) await this.#exclusively(() => this.#writeGroup());
    this.#isWriting = false;
  }

  /** One write for all that waits and goes into one segment. */
  async #writeGroup(): Promise<void> {
    let group: readonly Append[] = this.#pending.slice(0, 1);
    try {
      const segment = await this.#segmentFor((group[0] as Append).records.length);
      group = this.#groupFor(segment);
      await segment.append(Buffer.concat(group.map(({ records }) => records)), sumOf(group));
      this.#settle(group, (append) => append.resolve());
    } catch (cause) {
      this.#diskRestsUntil = this.#ports.clock.now() + DISK_REST_MS;
      this.#complain(cause, 'events cannot be written');
      this.#segments.splice(0, Infinity, ...this.#segments.filter(({ bytes }) => bytes > 0));
      this.#settle(group, (append) => append.reject(storeError('the disk took no events', cause)));
    }
  }

  #groupFor(segment: Segment): Append[] {
    let bytes = 0;
    const tooMany = this.#pending.findIndex(({ records }, index) => {
      bytes += records.length;
      return index > 0 && segment.bytes + bytes > this.#options.segmentBytes;
    });
    return tooMany === -1 ? [...this.#pending] : this.#pending.slice(0, tooMany);
  }

  #settle(group: readonly Append[], settle: (append: Append) => void): void {
    this.#pending.splice(0, group.length);
    for (const append of group) {
      this.#pendingBytes -= append.records.length;
      settle(append);
    }
    this.#tell();
    if (this.#head() === undefined) return;
    for (const filled of this.#waiters) filled();
    this.#waiters.clear();
  }

  async #segmentFor(bytes: number): Promise<Segment> {
    // Where that failed at the start: names of ours would be those of an earlier run.
    if (!this.#isTakenUp) await this.#takeUp();
    const last = this.#segments.at(-1);
    if (last?.hasRoom(bytes, this.#options.segmentBytes)) return last;
    await last?.seal();
    while (this.#segments.length >= this.#options.maxSegments) await this.#dropOldest();
    await mkdir(this.#options.directory, { recursive: true });
    this.#lastSequence += 1;
    const name = `${String(this.#lastSequence).padStart(12, '0')}.events`;
    const segment = Segment.create(join(this.#options.directory, name));
    this.#segments.push(segment);
    return segment;
  }

  async #dropOldest(): Promise<void> {
    const [oldest] = this.#segments;
    if (oldest !== undefined) await this.#lose(oldest, 'Full');
  }

  async #read(segment: Segment, maxEvents: number, maxBytes: number): Promise<Batch | undefined> {
    const records = await segment.read(maxEvents, maxBytes).catch((error) => {
      this.#complain(error, 'events cannot be read');
      return undefined;
    });
    if (records !== undefined && records.events.length > 0) return { ...records, segment };
    await this.#lose(segment, 'Damaged');
    return undefined;
  }

  async #lose(segment: Segment, reason: DropReason): Promise<void> {
    const { waiting: events, path } = segment;
    this.#ports.counters.dropped(reason, events);
    this.#ports.logger.warn({ events, path, reason }, 'events are lost');
    await this.#remove(segment);
    this.#tell();
  }

  async #remove(segment: Segment): Promise<void> {
    this.#segments.splice(this.#segments.indexOf(segment), 1);
    // Forgotten all the same: events that stay behind are sent again by the next process, and known by their ids.
    await segment.remove().catch((error) => this.#complain(error, 'a file of events cannot be removed'));
  }

  async #takeUp(): Promise<void> {
    const { directory } = this.#options;
    await mkdir(directory, { recursive: true });
    const names = (await readdir(directory)).filter((name) => NAME.test(name)).sort();
    for (const name of names) await this.#recover(name, name === names.at(-1));
    this.#isTakenUp = true;
  }

  async #recover(name: string, isLast: boolean): Promise<void> {
    this.#lastSequence = Number(NAME.exec(name)?.[1]); // also when it cannot be read: its name is taken
    const path = join(this.#options.directory, name);
    try {
      const { segment, brokenBytes } = await Segment.recover(path);
      if (brokenBytes > 0) {
        this.#ports.logger.warn({ path, brokenBytes }, 'a file of events has an end that is no event');
        // At the end of all it is the write that the end of the process cut off: promised to nobody, and no loss. Elsewhere
        // it is at least one event.
        if (!isLast) this.#ports.counters.dropped('Damaged', 1);
      }
      this.#segments.push(segment);
      if (segment.waiting === 0) await this.#remove(segment);
    } catch (error) {
      this.#complain(error, 'a file of events cannot be read');
    }
  }

  #tell(): void {
    this.#ports.counters.queued(this.bytes, this.waiting);
  }

  #complain(error: unknown, message: string): void {
    const { directory } = this.#options;
    const cause = error instanceof Error ? error.message : String(error);
    this.#ports.logger.error({ code: 'SLUICE_EVENTS_STORE', directory, cause }, message);
  }
}

const sumOf = (group: readonly Append[]): number => group.reduce((sum, { events }) => sum + events, 0);

const storeError = (message: string, cause?: unknown): SluiceError =>
  new SluiceError('SLUICE_EVENTS_STORE', message, {}, cause);
