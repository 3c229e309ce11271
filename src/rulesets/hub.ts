import type { Writable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { EpochMs } from '../base/units.ts';
import type { Reach } from '../core/flags/observed.ts';
import type { Acknowledgement } from '../wire/acknowledgement.ts';
import type { SealedRuleset } from '../wire/sealed-ruleset.ts';
import { EMPTY_PING, type Published, publishedOf } from './frames.ts';
import { Subscriber } from './subscriber.ts';

const PING_MS = 15_000;
/** Revisions of a flag set whose way to the evaluators is measured. */
const MEASURED_REVISIONS = 16;
/** How often what was acknowledged is told. */
const REPORT_MS = 10_000;

interface FlagSet {
  published: Published | undefined;
  readonly subscribers: Map<string, Subscriber>;
  /** When the measured revisions were made, the oldest first. */
  readonly issuedAt: Map<number, EpochMs>;
  readonly evaluatedAt: Map<string, EpochMs>;
  reach: Reach | undefined;
  isReported: boolean;
}

export interface HubOptions {
  readonly clock: Clock;
  /** What `reach` answers for this flag set has changed; at most every 10 s. */
  onReach(flagSetId: string): void;
}

export interface Joining {
  readonly flagSetId: string;
  /** Who it is; one stream each: a later one takes the place of an earlier one. */
  readonly id: string;
  /** The ruleset that it has already. */
  readonly lastRevision: number | undefined;
  readonly out: Writable;
}

/** The newest ruleset of each flag set, everyone who listens to it, and what they said of it. Lives as long as a leader leads. */
export class RulesetHub {
  readonly #clock: Clock;
  readonly #onReach: (flagSetId: string) => void;
  readonly #flagSets = new Map<string, FlagSet>();
  readonly #cancels = new Map<'ping' | 'report', () => void>();
  #isClosed = false;

  constructor({ clock, onReach }: HubOptions) {
    this.#clock = clock;
    this.#onReach = onReach;
    this.#every(PING_MS, 'ping', () => this.#ping());
    this.#every(REPORT_MS, 'report', () => this.#report());
  }

  get subscribers(): number {
    return [...this.#flagSets.values()].reduce((sum, { subscribers }) => sum + subscribers.size, 0);
  }

  /** Gives everyone this ruleset, unless they had a newer one. `content` as in `publishedOf`. */
  publish(sealed: SealedRuleset, content: string): void {
    if (this.#isClosed) return;
    const { flagSetId, revision } = sealed.ruleset;
    const set = this.#of(flagSetId);
    const before = set.published;
    if (before && (revision < before.revision || sealed.digest === before.digest)) return;
    const published = publishedOf(sealed, content);
    set.published = published;
    set.issuedAt.set(revision, published.issuedAt);
    for (const old of [...set.issuedAt.keys()].slice(0, -MEASURED_REVISIONS)) {
      set.issuedAt.delete(old);
      for (const one of set.subscribers.values()) one.seconds.delete(old);
    }
    for (const key of set.evaluatedAt.keys()) if (!published.keys.has(key)) set.evaluatedAt.delete(key);
    set.isReported = false;
    for (const one of set.subscribers.values()) greet(one, published);
  }

  /** The namespace has no flags any more: nothing of it is kept but who listens. */
  withdraw(flagSetId: string): void {
    const set = this.#flagSets.get(flagSetId);
    if (!set) return;
    set.published = undefined;
    set.issuedAt.clear();
    set.evaluatedAt.clear();
    this.#dropIfEmpty(flagSetId, set);
  }

  /** Adds a stream; answers a function that takes it away. */
  join({ flagSetId, id, lastRevision, out }: Joining): () => void {
    const set = this.#of(flagSetId);
    const subscriber = new Subscriber(out, this.#clock, lastRevision);
    set.subscribers.get(id)?.end();
    set.subscribers.set(id, subscriber);
    set.isReported = false;
    if (this.#isClosed) subscriber.end();
    else if (set.published) greet(subscriber, set.published);
    else subscriber.send(EMPTY_PING);
    return () => {
      if (set.subscribers.get(id) !== subscriber) return;
      set.subscribers.delete(id);
      set.isReported = false;
      this.#dropIfEmpty(flagSetId, set);
    };
  }

  /** What someone says who listens; false for anybody else. */
  acknowledge(id: string, { flagSetId, revision, state, evaluated }: Acknowledgement): boolean {
    const set = this.#flagSets.get(flagSetId);
    const subscriber = set?.subscribers.get(id);
    if (!set || !subscriber) return false;
    const now = this.#clock.now();
    // A revision that nobody published is no progress.
    if (state === 'Running' && revision <= (set.published?.revision ?? 0) && revision !== subscriber.running) {
      subscriber.running = revision;
      set.isReported = false;
      for (const [measured, issuedAt] of set.issuedAt) {
        if (measured > revision || subscriber.seconds.has(measured)) continue;
        subscriber.seconds.set(measured, Math.max(0, now - Math.max(issuedAt, subscriber.connectedAt)) / 1000);
      }
    }
    for (const key of evaluated) {
      if (!set.published?.keys.has(key)) continue;
      set.evaluatedAt.set(key, now);
      set.isReported = false;
    }
    return true;
  }

  /** How far the rulesets of a flag set have come, as of the last report. Undefined before the first: nobody is back yet. */
  reach(flagSetId: string): Reach | undefined {
    return this.#flagSets.get(flagSetId)?.reach;
  }

  /** Of each evaluator that is connected now: the revision that it runs; -1 while it has said nothing. */
  running(flagSetId: string): number[] {
    return [...(this.#flagSets.get(flagSetId)?.subscribers.values() ?? [])].map(({ running }) => running);
  }

  /** Ends all streams: those who listened look for the next leader. */
  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#cancels.values()) cancel();
    for (const { subscribers } of this.#flagSets.values()) for (const one of subscribers.values()) one.end();
  }

  #of(flagSetId: string): FlagSet {
    const found = this.#flagSets.get(flagSetId);
    if (found) return found;
    const made: FlagSet = {
      published: undefined,
      subscribers: new Map(),
      issuedAt: new Map(),
      evaluatedAt: new Map(),
      reach: undefined,
      isReported: false,
    };
    this.#flagSets.set(flagSetId, made);
    return made;
  }

  #dropIfEmpty(flagSetId: string, { published, subscribers }: FlagSet): void {
    if (!published && subscribers.size === 0) this.#flagSets.delete(flagSetId);
  }

  #every(ms: number, name: 'ping' | 'report', run: () => void): void {
    const again = () => {
      run();
      if (!this.#isClosed) this.#cancels.set(name, this.#clock.after(ms, again));
    };
    this.#cancels.set(name, this.#clock.after(ms, again));
  }

  #ping(): void {
    for (const { published, subscribers } of this.#flagSets.values())
      for (const one of subscribers.values()) one.ping(published?.pingFrame ?? EMPTY_PING);
  }

  #report(): void {
    for (const [flagSetId, set] of this.#flagSets) {
      if (set.isReported) continue;
      set.isReported = true;
      set.reach = reachOf(set);
      this.#onReach(flagSetId);
    }
  }
}

/** Who has the newest already is only told that it is. */
function greet(subscriber: Subscriber, { revision, snapshotFrame, pingFrame }: Published): void {
  subscriber.send(subscriber.has === revision ? pingFrame : snapshotFrame);
  subscriber.has = revision;
}

function reachOf({ subscribers, issuedAt, evaluatedAt }: FlagSet): Reach {
  const all = [...subscribers.values()];
  const secondsTo = (revision: number) => all.flatMap(({ seconds }) => seconds.get(revision) ?? []);
  return {
    running: all.map(({ running }) => running),
    seconds: new Map([...issuedAt.keys()].map((revision) => [revision, secondsTo(revision)])),
    evaluatedAt: new Map(evaluatedAt),
  };
}
