import type { EventCounters } from './event-counters.ts';
import type { EventKind, QueuedEvent } from './queued-event.ts';
import { RecentIds } from './recent-ids.ts';

export interface IntakePorts {
  /** Resolves when the events are written: see EventQueue. */
  append(events: readonly QueuedEvent[]): Promise<void>;
  readonly counters: EventCounters;
}

export interface Submitted {
  /** Written now. */
  readonly accepted: number;
  /** Written before, under the same id. */
  readonly duplicates: number;
}

/** Of each kind; about 13 MB when full. */
const REMEMBERED_IDS = 100_000;

/** Takes events once each by their ids, as far as it remembers; the collector does so for 48 hours. */
export class EventIntake {
  readonly #ports: IntakePorts;
  readonly #known: Readonly<Record<EventKind, RecentIds>>;
  /** What is being written, by kind and id. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(ports: IntakePorts, rememberedIds = REMEMBERED_IDS) {
    this.#ports = ports;
    this.#known = { exposure: new RecentIds(rememberedIds), metric: new RecentIds(rememberedIds) };
  }

  /** Whether the event was written already, or is about to be. */
  has(kind: EventKind, id: string): boolean {
    return this.#known[kind].has(id) || this.#underWay.has(keyOf(kind, id));
  }

  /** Events of one kind. Resolves when each is on disk, now or from before; rejects as `append` does, and the whole may then be sent again. */
  async submit(events: readonly QueuedEvent[]): Promise<Submitted> {
    const fresh = new Map<string, QueuedEvent>();
    const others = new Set<Promise<void>>();
    for (const queued of events) {
      const key = keyOf(queued.kind, queued.event.id);
      const other = this.#underWay.get(key);
      // Not known before it is written: a duplicate must not be promised what may still fail.
      if (other !== undefined) others.add(other);
      else if (!this.#known[queued.kind].has(queued.event.id)) fresh.set(key, queued);
    }
    await Promise.all([this.#write(fresh), ...others]);
    const duplicates = events.length - fresh.size;
    const [first] = events;
    if (first !== undefined && duplicates > 0) this.#ports.counters.duplicate(first.kind, duplicates);
    return { accepted: fresh.size, duplicates };
  }

  async #write(fresh: ReadonlyMap<string, QueuedEvent>): Promise<void> {
    if (fresh.size === 0) return;
    const events = [...fresh.values()];
    const writing = this.#ports.append(events);
    for (const key of fresh.keys()) this.#underWay.set(key, writing);
    try {
      await writing;
      for (const { kind, event } of events) {
        this.#known[kind].add(event.id);
        this.#ports.counters.accepted(kind, 1);
      }
    } finally {
      for (const key of fresh.keys()) this.#underWay.delete(key);
    }
  }
}

const keyOf = (kind: EventKind, id: string): string => `${kind} ${id}`;
