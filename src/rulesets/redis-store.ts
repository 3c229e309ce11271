import type { Redis } from 'ioredis';

/** A ruleset whose leader is gone, or has never heard that its namespace is gone, must not stay. The leader renews it every 20 s. */
const RULESET_TTL_MS = 60_000;
/** A replica that is cut off from Redis goes on serving: what it said last counts for this long. */
const PICTURE_TTL_MS = 600_000;

/** Writes a ruleset and tells the replicas, unless a newer one is there: then its revision is the answer. A leader of before may be late. */
const PUT_RULESET = `
local there = redis.call('TYPE', KEYS[1]).ok
if there ~= 'hash' and there ~= 'none' then redis.call('DEL', KEYS[1]) end
local held = tonumber(redis.call('HGET', KEYS[1], 'revision') or '') or -1
if held > tonumber(ARGV[1]) then return held end
redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'digest', ARGV[2], 'content', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ${RULESET_TTL_MS})
redis.call('PUBLISH', ARGV[4], ARGV[5])
return false`;

/** Renews a ruleset if it is this one: 1. */
const KEEP_RULESET = `
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local held = redis.call('HMGET', KEYS[1], 'revision', 'digest')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ${RULESET_TTL_MS})`;

/** Writes the picture of one replica, and drops those of replicas that have said nothing for too long. Redis' own clock counts. */
const PUT_PICTURE = `
for index, kind in ipairs({ 'hash', 'zset' }) do
  local there = redis.call('TYPE', KEYS[index]).ok
  if there ~= kind and there ~= 'none' then redis.call('DEL', KEYS[index]) end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], now, ARGV[1])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ${PICTURE_TTL_MS})) do
  redis.call('HDEL', KEYS[1], gone)
  redis.call('ZREM', KEYS[2], gone)
end
redis.call('PEXPIRE', KEYS[1], ${PICTURE_TTL_MS})
redis.call('PEXPIRE', KEYS[2], ${PICTURE_TTL_MS})
return false`;

/** What the replicas tell each other besides what lies in Redis. */
export type Notice =
  | { readonly kind: 'Ruleset'; readonly revision: number; readonly flagSetId: string }
  /** A new leader wants to see the picture of every replica. */
  | { readonly kind: 'Tell' };

export function readNotice(message: string): Notice | undefined {
  if (message === 'tell') return { kind: 'Tell' };
  const [, revision, flagSetId] = /^ruleset ([0-9]{1,15}) (\S{1,253})$/.exec(message) ?? [];
  return flagSetId === undefined ? undefined : { kind: 'Ruleset', revision: Number(revision), flagSetId };
}

/** The channel under a prefix. */
export const channelOf = (prefix: string): string => `${prefix}notices`;

interface Ruleset {
  readonly flagSetId: string;
  readonly revision: number;
  readonly digest: string;
}

/** What lies in Redis under a prefix; everything in it ends by itself. Throws what the link throws. */
export class RedisStore {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async ping(): Promise<void> {
    await this.#redis.ping();
  }

  /** Undefined: it was written, and the replicas were told. Otherwise the newer revision that is there. */
  async putRuleset({ flagSetId, revision, digest }: Ruleset, content: Buffer): Promise<number | undefined> {
    const notice = `ruleset ${revision} ${flagSetId}`;
    const args = [revision, digest, content, channelOf(this.#prefix), notice];
    const held = await this.#redis.eval(PUT_RULESET, 1, this.#rulesetKey(flagSetId), ...args);
    return typeof held === 'number' ? held : undefined;
  }

  /** Whether Redis has this one; then it is renewed. */
  async keepRuleset({ flagSetId, revision, digest }: Ruleset): Promise<boolean> {
    return (await this.#redis.eval(KEEP_RULESET, 1, this.#rulesetKey(flagSetId), revision, digest)) === 1;
  }

  /** The revision that is said to be there. */
  async revisionOf(flagSetId: string): Promise<number | undefined> {
    const text = await this.#redis.hget(this.#rulesetKey(flagSetId), 'revision');
    return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
  }

  /** A snapshot in Base64, to be judged. */
  async contentOf(flagSetId: string): Promise<string | undefined> {
    return (await this.#redis.hget(this.#rulesetKey(flagSetId), 'content')) ?? undefined;
  }

  async dropRuleset(flagSetId: string): Promise<void> {
    await this.#redis.unlink(this.#rulesetKey(flagSetId));
  }

  async askForPictures(): Promise<void> {
    await this.#redis.publish(channelOf(this.#prefix), 'tell');
  }

  async putPicture(flagSetId: string, replica: string, picture: Buffer): Promise<void> {
    const keys = [this.#pictureKey(flagSetId), `${this.#pictureKey(flagSetId)}:at`];
    await this.#redis.eval(PUT_PICTURE, 2, ...keys, replica, picture);
  }

  /** By replica. */
  async pictures(flagSetId: string): Promise<ReadonlyMap<string, Buffer>> {
    const found = await this.#redis.hgetallBuffer(this.#pictureKey(flagSetId));
    return new Map(Object.entries(found));
  }

  // Braces keep the keys of one flag set together where the keys of Redis are spread.
  #rulesetKey(flagSetId: string): string {
    return `${this.#prefix}ruleset:{${flagSetId}}`;
  }

  #pictureKey(flagSetId: string): string {
    return `${this.#prefix}picture:{${flagSetId}}`;
  }
}
