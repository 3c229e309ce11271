import type { Writable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { EpochMs } from '../base/units.ts';
import type { Reach } from '../core/flags/observed.ts';
import type { Acknowledgement } from '../wire/acknowledgement.ts';
import type { SealedRuleset } from '../wire/sealed-ruleset.ts';
import { EMPTY_PING, type Published, publishedOf } from './frames.ts';
import { Heard } from './heard.ts';
import { isOlder, madeOf } from './order.ts';
import { type Picture, reachOf } from './picture.ts';
import { Subscriber } from './subscriber.ts';

const PING_MS = 15_000;
/** Revisions of a flag set whose way to the evaluators is measured. */
const MEASURED_REVISIONS = 16;
/** How often what was acknowledged is told. */
const REPORT_MS = 10_000;
/** Of one flag set. As many streams as four replicas take: their acknowledgements may all come to one. */
const MAX_HEARD = 20_000;

interface FlagSet {
  published: Published | undefined;
  readonly subscribers: Map<string, Subscriber>;
  readonly heard: Heard;
  /** When the measured revisions were made, the oldest first. */
  readonly issuedAt: Map<number, EpochMs>;
  readonly evaluatedAt: Map<string, EpochMs>;
  reach: Reach | undefined;
  isReported: boolean;
  /** Grows whenever the picture of this replica changes. */
  changes: number;
}

export interface HubOptions {
  readonly clock: Clock;
  /** What `reach` answers for this flag set has changed; at most every 10 s. */
  onReach(flagSetId: string): void;
  /**
   * What the other replicas know of a flag set, where all of them serve; undefined while that is not known. Left out: this replica is the
   * only one that serves, and what is said by who does not listen here is left aside.
   */
  readonly others?: (flagSetId: string) => readonly Picture[] | undefined;
}

export interface Joining {
  readonly flagSetId: string;
  /** Who it is; one stream each: a later one takes the place of an earlier one. */
  readonly id: string;
  /** The ruleset that it has already. */
  readonly lastRevision: number | undefined;
  readonly out: Writable;
}

/**
 * The newest ruleset of each flag set, everyone who listens to it here, and what was said of it here. Lives as long as a leader leads, or, where
 * all replicas serve, as long as the replica.
 */
export class RulesetHub {
  readonly #clock: Clock;
  readonly #onReach: (flagSetId: string) => void;
  readonly #others: HubOptions['others'];
  readonly #flagSets = new Map<string, FlagSet>();
  readonly #cancels = new Map<'ping' | 'report', () => void>();
  #isClosed = false;

  constructor({ clock, onReach, others }: HubOptions) {
    this.#clock = clock;
    this.#onReach = onReach;
    this.#others = others;
    this.#every(PING_MS, 'ping', () => this.#ping());
    this.#every(REPORT_MS, 'report', () => this.#report());
  }

  get subscribers(): number {
    return [...this.#flagSets.values()].reduce((sum, { subscribers }) => sum + subscribers.size, 0);
  }

  /** Whether it is kept what evaluators say whose stream another replica has. */
  get hearsAll(): boolean {
    return this.#others !== undefined;
  }

  /** Those that have a ruleset. */
  get flagSets(): string[] {
    return [...this.#flagSets].flatMap(([flagSetId, { published }]) => (published ? [flagSetId] : []));
  }

  newest(flagSetId: string): Published | undefined {
    return this.#flagSets.get(flagSetId)?.published;
  }

  /** Gives everyone this ruleset, unless one that was made later is here. `content` as in `publishedOf`. */
  publish(sealed: SealedRuleset, content: string): void {
    if (this.#isClosed) return;
    const { flagSetId, revision } = sealed.ruleset;
    const set = this.#of(flagSetId);
    const before = set.published;
    if (before && (sealed.digest === before.digest || isOlder(madeOf(sealed.ruleset), before))) return;
    if (before && revision <= before.revision) forgetNumbers(set);
    const published = publishedOf(sealed, content);
    set.published = published;
    set.issuedAt.set(revision, published.issuedAt);
    for (const old of [...set.issuedAt.keys()].slice(0, -MEASURED_REVISIONS)) set.issuedAt.delete(old);
    for (const key of set.evaluatedAt.keys()) if (!published.keys.has(key)) set.evaluatedAt.delete(key);
    changed(set);
    for (const one of set.subscribers.values()) greet(one, published);
  }

  /** The namespace has no flags any more: nothing of it is kept but who listens. */
  withdraw(flagSetId: string): void {
    const set = this.#flagSets.get(flagSetId);
    if (!set) return;
    set.published = undefined;
    set.evaluatedAt.clear();
    forgetNumbers(set);
    this.#dropIfEmpty(flagSetId, set);
  }

  /** Adds a stream; answers a function that takes it away. */
  join({ flagSetId, id, lastRevision, out }: Joining): () => void {
    const set = this.#of(flagSetId);
    const subscriber = new Subscriber(out, this.#clock, lastRevision);
    set.subscribers.get(id)?.end();
    set.subscribers.set(id, subscriber);
    if (!this.hearsAll) set.heard.forget(id); // it says anew what it runs
    changed(set);
    if (this.#isClosed) subscriber.end();
    else if (set.published) greet(subscriber, set.published);
    else subscriber.send(EMPTY_PING);
    return () => {
      if (set.subscribers.get(id) !== subscriber) return;
      set.subscribers.delete(id);
      changed(set);
      this.#dropIfEmpty(flagSetId, set);
    };
  }

  listens(flagSetId: string, id: string): boolean {
    return this.#flagSets.get(flagSetId)?.subscribers.has(id) === true;
  }

  /** What someone says who listens, or, where all replicas serve, may listen elsewhere; false for anybody else. */
  acknowledge(id: string, { flagSetId, revision, digest, state, evaluated }: Acknowledgement): boolean {
    const set = this.#flagSets.get(flagSetId);
    if (!set || !(set.subscribers.has(id) || (this.hearsAll && set.published))) return false;
    const now = this.#clock.now();
    // The number of this ruleset on another one, from before numbers started lower.
    const isOther = revision === set.published?.revision && digest !== set.published.digest;
    if (state === 'Running' && isOther) set.heard.forget(id);
    else if (state === 'Running' && set.heard.hear(id, revision, now)) changed(set);
    for (const key of evaluated) {
      if (!set.published?.keys.has(key)) continue;
      set.evaluatedAt.set(key, now);
      changed(set);
    }
    return true;
  }

  /** What this replica knows, and a number that grows whenever that changes. Undefined where it knows nothing. */
  picture(flagSetId: string): { readonly picture: Picture; readonly changes: number } | undefined {
    const set = this.#flagSets.get(flagSetId);
    return set && { picture: this.#pictureOf(set), changes: set.changes };
  }

  /** The number alone. */
  changes(flagSetId: string): number | undefined {
    return this.#flagSets.get(flagSetId)?.changes;
  }

  /** What the others know has changed. */
  touch(flagSetId: string): void {
    const set = this.#flagSets.get(flagSetId);
    if (set) set.isReported = false;
  }

  /** How far the rulesets of a flag set have come, as of the last report. Undefined before the first: nobody is back yet. */
  reach(flagSetId: string): Reach | undefined {
    return this.#flagSets.get(flagSetId)?.reach;
  }

  /** Of each evaluator that is connected now, to any replica: the revision that it runs; -1 while it has said nothing. */
  running(flagSetId: string): readonly number[] {
    const set = this.#flagSets.get(flagSetId);
    const others = this.#others ? this.#others(flagSetId) : [];
    if (!others) return [-1]; // whoever listens to the others must not be taken for nobody
    if (!set) return [];
    return reachOf([this.#pictureOf(set), ...others], { newest: newestOf(set), issuedAt: new Map() }).running;
  }

  /** Ends all streams: those who listened look for the next leader. */
  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#cancels.values()) cancel();
    this.endStreams();
  }

  /** Those who listened find another replica. */
  endStreams(): void {
    for (const { subscribers } of this.#flagSets.values()) for (const one of subscribers.values()) one.end();
  }

  #pictureOf({ subscribers, heard, evaluatedAt }: FlagSet): Picture {
    const streams = new Map([...subscribers].map(([id, { connectedAt }]) => [id, connectedAt]));
    return { streams, said: heard.said(this.#clock.now(), (id) => subscribers.has(id)), evaluatedAt };
  }

  #of(flagSetId: string): FlagSet {
    const found = this.#flagSets.get(flagSetId);
    if (found) return found;
    const made: FlagSet = {
      published: undefined,
      subscribers: new Map(),
      heard: new Heard(MAX_HEARD),
      issuedAt: new Map(),
      evaluatedAt: new Map(),
      reach: undefined,
      isReported: false,
      changes: 0,
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
      const others = this.#others ? this.#others(flagSetId) : [];
      // A part would be told as the whole.
      if (set.isReported || !others) continue;
      set.isReported = true;
      const measured = { newest: newestOf(set), issuedAt: set.issuedAt };
      set.reach = reachOf([this.#pictureOf(set), ...others], measured);
      this.#onReach(flagSetId);
    }
  }
}

/** Who comes with this one is sent no snapshot. Who comes with any other is: it knows itself which was made later. */
function greet(subscriber: Subscriber, { revision, snapshotFrame, pingFrame }: Published): void {
  subscriber.send(subscriber.cameWith === revision ? pingFrame : snapshotFrame);
  subscriber.cameWith = undefined;
}

/** What was said and measured is of other rulesets than those that get these numbers now. */
function forgetNumbers({ issuedAt, heard }: FlagSet): void {
  issuedAt.clear();
  heard.clear();
}

const newestOf = ({ published }: FlagSet): number => published?.revision ?? 0;

function changed(set: FlagSet): void {
  set.isReported = false;
  set.changes++;
}
