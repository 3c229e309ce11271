import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { events, type KubeEvent } from './builtins.ts';
import type { KubeClient } from './client.ts';
import { settlesWithin } from './deadline.ts';
import { isNotFound } from './kube-error.ts';
import { type KubeObject, keyOf } from './resource.ts';

/** Something to tell the people who look at an object. */
export interface Notice {
  readonly about: KubeObject;
  readonly related?: KubeObject;
  readonly type: 'Normal' | 'Warning';
  /** Why, in UpperCamelCase: `WeightRaised`. At most 128 characters. */
  readonly reason: string;
  /** What was done, in UpperCamelCase: `Raise`. At most 128 characters. */
  readonly action: string;
  /** For people; cut at 1,024 bytes. */
  readonly note: string;
}

export interface RecorderPorts {
  readonly client: Pick<KubeClient, 'create' | 'patch'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface RecorderOptions {
  /** For example `sluice.dev/rollout-controller`. */
  readonly controller: string;
  /** Who of several replicas. */
  readonly instance: string;
  readonly onDropped?: () => void;
}

const MAX_QUEUE = 500;
const MAX_KNOWN = 2_000;
/** A repetition within this time is counted on the event that is there; the API server keeps events for an hour. */
const SERIES_MS = 6 * 60_000;
/** Counting is written at most this often per event. */
const COUNT_EVERY_MS = 30_000;
const NOTE_BYTES = 1_024;

interface Known {
  readonly namespace: string;
  readonly name: string;
  count: number;
  writtenAtMs: number;
  lastAtMs: number;
}

/** `digest` is that of the notice. */
type Task = { readonly digest: string } & ({ readonly create: KubeEvent } | { readonly count: Known });

/**
 * Writes events (events.k8s.io/v1) in the background, one after the other. `record` never waits and never throws: when
 * the API server is slow the newest are dropped and counted. The same notice again within 6 minutes only raises a count.
 */
export class EventRecorder {
  readonly #ports: RecorderPorts;
  readonly #options: RecorderOptions;
  readonly #queue: Task[] = [];
  /** In the order of last use, so that the oldest go first. */
  readonly #known = new Map<string, Known>();
  readonly #end = new AbortController();
  #sending: Promise<void> | undefined;

  constructor(ports: RecorderPorts, options: RecorderOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  record(notice: Notice): void {
    const nowMs = this.#ports.clock.now();
    const digest = digestOf(notice);
    const known = this.#known.get(digest);
    if (known && nowMs - known.lastAtMs < SERIES_MS) {
      this.#known.delete(digest);
      this.#known.set(digest, known);
      known.count += 1;
      known.lastAtMs = nowMs;
      if (nowMs - known.writtenAtMs >= COUNT_EVERY_MS) {
        known.writtenAtMs = nowMs;
        this.#enqueue({ digest, count: known });
      }
      return;
    }
    const event = this.#eventOf(notice, digest, nowMs);
    const { namespace = 'default', name } = event.metadata;
    if (!this.#enqueue({ digest, create: event })) return;
    this.#known.delete(digest);
    this.#known.set(digest, { namespace, name, count: 1, writtenAtMs: nowMs, lastAtMs: nowMs });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN) break;
      this.#known.delete(oldest);
    }
  }

  /** Sends what waits, for at most `graceMs`; then forgets the rest. */
  async stop(graceMs = 1_000): Promise<void> {
    const sending = this.#sending;
    if (sending) await settlesWithin(this.#ports.clock, sending, graceMs);
    this.#end.abort(new Error('the recorder was stopped'));
    this.#queue.length = 0;
    await sending;
  }

  #enqueue(task: Task): boolean {
    if (this.#end.signal.aborted || this.#queue.length >= MAX_QUEUE) {
      this.#options.onDropped?.();
      return false;
    }
    this.#queue.push(task);
    this.#sending ??= this.#drain();
    return true;
  }

  async #drain(): Promise<void> {
    // After the caller's own turn: telling must not delay what is told about.
    await Promise.resolve();
    for (let task = this.#queue.shift(); task; task = this.#queue.shift()) {
      try {
        await this.#send(task);
      } catch (err) {
        // Otherwise its repetitions would be counted, for as long as they come, on an event that is not there.
        if ('create' in task) this.#known.delete(task.digest);
        this.#options.onDropped?.();
        this.#ports.logger.debug({ err }, 'an event was not written');
      }
    }
    this.#sending = undefined; // in the same turn in which the queue was seen empty
  }

  async #send(task: Task): Promise<void> {
    const options = { signal: this.#end.signal, deadlineMs: 5_000 };
    if ('create' in task) {
      await this.#ports.client.create(events, task.create, options);
      return;
    }
    const { namespace, name, count, lastAtMs } = task.count;
    const merge = { series: { count, lastObservedTime: microTime(lastAtMs) } };
    await this.#ports.client.patch(events, { namespace, name }, { merge }, options).catch((error) => {
      if (!isNotFound(error)) throw error;
      this.#known.delete(task.digest); // it has run out meanwhile, or somebody deleted it
    });
  }

  #eventOf({ about, related, type, reason, action, note }: Notice, digest: string, nowMs: number): KubeEvent {
    const namespace = about.metadata.namespace ?? 'default';
    // Two replicas may tell the same in the same millisecond.
    const tail = createHash('sha256').update(`${this.#options.instance} ${nowMs} ${digest}`).digest('hex').slice(0, 16);
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace, name: `${about.metadata.name.slice(0, 230)}.${tail}` },
      eventTime: microTime(nowMs),
      type,
      reason,
      action,
      note: cutToBytes(note, NOTE_BYTES),
      regarding: referenceTo(about),
      ...(related && { related: referenceTo(related) }),
      reportingController: this.#options.controller,
      reportingInstance: this.#options.instance.slice(0, 128),
    };
  }
}

const microTime = (epochMs: number): string => new Date(epochMs).toISOString().replace('Z', '000Z');

const digestOf = ({ about, related, type, reason, action, note }: Notice): string =>
  JSON.stringify([
    about.kind,
    keyOf(about.metadata),
    about.metadata.uid,
    related?.metadata.uid,
    type,
    reason,
    action,
    note,
  ]);

/** An API server refuses a longer note; a character is never cut in two. */
function cutToBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  return new TextDecoder().decode(bytes.subarray(0, maxBytes - 4), { stream: true }).concat('…');
}

const referenceTo = ({ apiVersion, kind, metadata }: KubeObject) => ({
  apiVersion,
  kind,
  name: metadata.name,
  ...(metadata.namespace && { namespace: metadata.namespace }),
  ...(metadata.uid && { uid: metadata.uid }),
  ...(metadata.resourceVersion && { resourceVersion: metadata.resourceVersion }),
});
