import type { Clock } from '../base/clock.ts';
import type { EpochMs } from '../base/units.ts';
import type { Picture } from './picture.ts';
import { decodePicture } from './picture-codec.ts';
import type { RedisStore } from './redis-store.ts';

/** Long enough for every replica to have told its picture again, after Redis has forgotten it. */
const KEEP_MS = 60_000;
/** After a new leader has asked for pictures: what comes within. */
const SETTLE_MS = 5_000;

interface Seen {
  readonly bytes: Buffer;
  readonly picture: Picture;
  /** Since when it is not in Redis any more. */
  missingSince: EpochMs | undefined;
}

/** What a leader has read of the pictures of the other replicas. While Redis is away, what was read last goes on. */
export class OthersPictures {
  readonly #store: Pick<RedisStore, 'pictures'>;
  readonly #replica: string;
  readonly #clock: Clock;
  readonly #seen = new Map<string, Map<string, Seen>>();
  #readSince: EpochMs | undefined;
  #isSettled = false;

  constructor(store: Pick<RedisStore, 'pictures'>, replica: string, clock: Clock) {
    this.#store = store;
    this.#replica = replica;
    this.#clock = clock;
  }

  /** Undefined while some replica may not have told its picture yet. */
  of(flagSetId: string): readonly Picture[] | undefined {
    if (!this.#isSettled) return undefined;
    return [...(this.#seen.get(flagSetId)?.values() ?? [])].map(({ picture }) => picture);
  }

  /** All flag sets were read once more. */
  wasRead(): void {
    const now = this.#clock.now();
    this.#readSince ??= now;
    this.#isSettled ||= now - this.#readSince >= SETTLE_MS;
  }

  forget(): void {
    this.#seen.clear();
    this.#readSince = undefined;
    this.#isSettled = false;
  }

  /** Reads those of one flag set; tells whether something is new, and whose cannot be read. */
  async read(flagSetId: string): Promise<{ readonly isNews: boolean; readonly damaged: readonly string[] }> {
    const found = await this.#store.pictures(flagSetId);
    const now = this.#clock.now();
    const seen = this.#seen.get(flagSetId) ?? new Map<string, Seen>();
    this.#seen.set(flagSetId, seen);
    const damaged: string[] = [];
    let isNews = false;
    for (const [replica, bytes] of found) {
      if (replica === this.#replica) continue;
      const before = seen.get(replica);
      if (before?.bytes.equals(bytes)) {
        before.missingSince = undefined;
        continue;
      }
      const picture = await decodePicture(bytes);
      if (picture) seen.set(replica, { bytes, picture, missingSince: undefined });
      else damaged.push(replica);
      isNews ||= picture !== undefined;
    }
    for (const [replica, one] of seen) {
      if (found.has(replica)) continue;
      one.missingSince ??= now;
      if (now - one.missingSince < KEEP_MS) continue;
      seen.delete(replica);
      isNews = true;
    }
    return { isNews, damaged };
  }
}
