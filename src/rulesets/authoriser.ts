import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { SluiceError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { EpochMs } from '../base/units.ts';

/** Whose token it is. */
export interface Identity {
  /** The account's full name. */
  readonly user: string;
  readonly uid: string | undefined;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
  /** Its own namespace: the flag set that it may always read. */
  readonly home: string | undefined;
  /** The pod that the token is bound to; it ends with it. */
  readonly pod: string | undefined;
  readonly expiresAt: EpochMs;
}

/** Who can tell whose token it is, and what they may read. Both throw when they cannot be asked. */
export interface Reviewer {
  /** Undefined: the token is not good here. */
  identify(token: Secret, signal: AbortSignal): Promise<Identity | undefined>;
  mayRead(identity: Identity, flagSetId: string, signal: AbortSignal): Promise<boolean>;
}

/** Reviews at a time, and how many may wait: all evaluators of a large cluster come at once when a leader changes. */
const MAX_REVIEWS = 16;
const MAX_WAITING = 4_096;
const MAX_CACHED = 20_000;
const REFUSAL_MS = 10_000;
/** A right that was taken away, or a pod that was deleted, ends a stream no later than this. */
const MAX_GRANT_MS = 3_600_000;
const REVIEW_MS = 10_000;

interface Cached {
  readonly answer: Promise<unknown>;
  until: EpochMs;
}

/** Asks the reviewer once for each token and flag set until the token expires; refusals are kept for 10 s. */
export class Authoriser {
  readonly #reviewer: Reviewer;
  readonly #clock: Clock;
  readonly #cache = new Map<string, Cached>();
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(reviewer: Reviewer, clock: Clock) {
    this.#reviewer = reviewer;
    this.#clock = clock;
  }

  /** Undefined: the token is not good here. Throws SLUICE_STREAM_OVERLOADED when too many are asking. */
  async identify(token: Secret): Promise<Identity | undefined> {
    // The cache must not be a list of tokens.
    const key = createHash('sha256').update(token.reveal()).digest('base64');
    const ask = async (signal: AbortSignal) => {
      const found = await this.#reviewer.identify(token, signal);
      const latest = (this.#clock.now() + MAX_GRANT_MS) as EpochMs;
      return found && found.expiresAt > latest ? { ...found, expiresAt: latest } : found;
    };
    return this.#cached(key, ask, (identity) => identity?.expiresAt);
  }

  async mayRead(identity: Identity, flagSetId: string): Promise<boolean> {
    if (identity.home === flagSetId) return true;
    const key = JSON.stringify([identity.user, identity.uid, identity.groups, identity.extra, flagSetId]);
    const ask = (signal: AbortSignal) => this.#reviewer.mayRead(identity, flagSetId, signal);
    return this.#cached(key, ask, (may) => (may ? identity.expiresAt : undefined));
  }

  #cached<T>(key: string, ask: (signal: AbortSignal) => Promise<T>, until: (answer: T) => EpochMs | undefined) {
    const now = this.#clock.now();
    const found = this.#cache.get(key);
    if (found && found.until > now) return found.answer as Promise<T>;
    const answer = this.#limited(() => ask(AbortSignal.timeout(REVIEW_MS)));
    const cached: Cached = { answer, until: Number.POSITIVE_INFINITY as EpochMs };
    this.#cache.delete(key);
    this.#cache.set(key, cached);
    if (this.#cache.size > MAX_CACHED) this.#cache.delete(this.#cache.keys().next().value as string);
    answer.then(
      (said) => {
        cached.until = until(said) ?? ((this.#clock.now() + REFUSAL_MS) as EpochMs);
      },
      () => {
        if (this.#cache.get(key) === cached) this.#cache.delete(key);
      },
    );
    return answer;
  }

  async #limited<T>(run: () => Promise<T>): Promise<T> {
    if (this.#underWay >= MAX_REVIEWS) {
      if (this.#waiting.length >= MAX_WAITING) {
        throw new SluiceError('SLUICE_STREAM_OVERLOADED', 'too many evaluators come at a time');
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#underWay++;
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#underWay--;
    }
  }
}
