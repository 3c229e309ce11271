import { createPublicKey } from 'node:crypto';
import { backoffMs } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { Installation } from '../controllers/feature-flag/installation.ts';
import { contentOf, notedDigest, sealedIn } from '../controllers/feature-flag/snapshot-store.ts';
import type { FlagSources } from '../controllers/feature-flag/sources.ts';
import { FanOut } from '../rulesets/fan-out.ts';
import { RulesetHub } from '../rulesets/hub.ts';
import { RedisLink, type RedisSettings } from '../rulesets/redis-link.ts';
import { channelOf, RedisStore } from '../rulesets/redis-store.ts';
import type { SealedRuleset } from '../wire/sealed-ruleset.ts';
import { SNAPSHOT_NAME } from '../wire/snapshot.ts';

/** How often it is looked at whether this replica may serve. */
const LOOK_MS = 1_000;
/** Without a word of the API server for this long, there may be rulesets that this replica has not heard of. One ping. */
const MAX_SILENCE_MS = 15_000;
const RETRY = { firstMs: 500, maxMs: 30_000 };

export interface SharedRulesetsPorts {
  readonly redis: RedisSettings & { readonly keyPrefix: string };
  /** Name of this replica. */
  readonly replica: string;
  readonly snapshots: Pick<FlagSources['snapshots'], 'get' | 'list'>;
  loadInstallation(signal: AbortSignal): Promise<Installation>;
  /** Milliseconds since the API server last answered this replica. */
  silentForMs(): number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The work of a leader for its evaluators, and for those of all replicas. */
export interface LeadersHub extends Pick<RulesetHub, 'publish' | 'withdraw' | 'reach' | 'running'> {}

interface Running {
  readonly installation: Installation;
  readonly link: RedisLink;
  readonly fanOut: FanOut;
}

/**
 * The hub of a replica where all of them serve. Rulesets come to it in two ways, from the leader by Redis and from the ConfigMaps that every
 * replica watches, and the newer one counts: so a kill switch does not wait for Redis. Replicas that may not know of the newest ruleset, because the
 * API server does not answer them, end their streams, and evaluators find another.
 */
export class SharedRulesets {
  readonly #ports: SharedRulesetsPorts;
  readonly #hub: RulesetHub;
  readonly #stop = new AbortController();
  /** Flag sets whose ConfigMap was seen. */
  readonly #standing = new Set<string>();
  #running: Running | undefined;
  #onReach: ((flagSetId: string) => void) | undefined;
  #starting: Promise<void> | undefined;
  #cancelLook = () => {};

  constructor(ports: SharedRulesetsPorts) {
    this.#ports = ports;
    this.#hub = new RulesetHub({
      clock: ports.clock,
      onReach: (flagSetId) => this.#onReach?.(flagSetId),
      others: (flagSetId) => this.#running?.fanOut.others(flagSetId),
    });
  }

  /** Undefined while this replica may not serve. */
  get hub(): RulesetHub | undefined {
    return this.#mayServe ? this.#hub : undefined;
  }

  /** What can be told of Redis; undefined while it was not tried yet. */
  get redis(): { readonly isUp: boolean; readonly failures: number } | undefined {
    return this.#running?.link;
  }

  /** Returns at once. The caches must be filled. */
  start(): void {
    this.#starting = this.#open().catch(() => {}); // stopped before
    this.#lookAgain();
  }

  /** A ConfigMap of this namespace may have changed. */
  look(flagSetId: string): void {
    if (!this.#running) return;
    const object = this.#ports.snapshots.get({ namespace: flagSetId, name: SNAPSHOT_NAME });
    if (!object) {
      // The leader itself decides when its rulesets end.
      if (this.#standing.delete(flagSetId) && !this.#onReach) this.#hub.withdraw(flagSetId);
      return;
    }
    this.#standing.add(flagSetId);
    const newest = this.#hub.newest(flagSetId);
    if (newest && notedDigest(object) === newest.digest) return; // Redis brought it first
    const sealed = sealedIn(object, this.#running.installation);
    if (sealed?.ruleset.flagSetId === flagSetId) this.#hub.publish(sealed, contentOf(object));
  }

  lead(onReach: (flagSetId: string) => void): LeadersHub {
    this.#onReach = onReach;
    this.#running?.fanOut.lead();
    return {
      publish: (sealed: SealedRuleset, content: string) => {
        this.#hub.publish(sealed, content);
        this.#running?.fanOut.offer(sealed.ruleset.flagSetId);
      },
      withdraw: (flagSetId: string) => {
        if (!this.#hub.newest(flagSetId)) return;
        this.#hub.withdraw(flagSetId);
        this.#running?.fanOut.withdraw(flagSetId);
      },
      reach: (flagSetId: string) => this.#hub.reach(flagSetId),
      running: (flagSetId: string) => this.#hub.running(flagSetId),
    };
  }

  /** Goes on serving what others publish. */
  follow(): void {
    this.#onReach = undefined;
    this.#running?.fanOut.follow();
    this.#lookAtAll();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#cancelLook();
    this.#hub.close();
    await this.#starting;
    await this.#running?.fanOut.stop();
    this.#running?.link.stop();
  }

  get #mayServe(): boolean {
    const { silentForMs } = this.#ports;
    return this.#onReach !== undefined || (this.#running !== undefined && silentForMs() <= MAX_SILENCE_MS);
  }

  async #open(): Promise<void> {
    const installation = await this.#installation();
    this.#running = this.#connect(installation);
    this.#lookAtAll();
    if (this.#onReach) this.#running.fanOut.lead();
    this.#running.fanOut.start();
    this.#running.link.start();
  }

  /** Tries until it is there. */
  async #installation(): Promise<Installation> {
    const { loadInstallation, clock, random, logger } = this.#ports;
    const { signal } = this.#stop;
    for (let attempt = 1; ; attempt++) {
      try {
        return await loadInstallation(signal);
      } catch (err) {
        if (signal.aborted) throw err;
        if (attempt === 1) logger.error({ err }, 'only the leader serves evaluators until this is mended');
        await sleep(clock, backoffMs(attempt, RETRY, random), signal);
      }
    }
  }

  #connect(installation: Installation): Running {
    const { redis, replica, clock, random, logger } = this.#ports;
    const { id, privateKey } = installation.signingKey;
    // Two clusters may share a Redis: keys of the one are never those of the other.
    const prefix = `${redis.keyPrefix}${id}:`;
    const link: RedisLink = new RedisLink(redis, channelOf(prefix), {
      random,
      logger,
      onReady: () => fanOut.onReady(),
      onMessage: (message) => fanOut.onMessage(message),
    });
    const keys = new Map([[id, createPublicKey(privateKey)]]);
    const store = new RedisStore(link.redis, prefix);
    const fanOut = new FanOut({ hub: this.#hub, store, link, keys, replica, clock, logger });
    return { installation, link, fanOut };
  }

  #lookAtAll(): void {
    for (const { metadata } of this.#ports.snapshots.list()) this.look(metadata.namespace ?? '');
  }

  #lookAgain(): void {
    this.#cancelLook = this.#ports.clock.after(LOOK_MS, () => {
      if (!this.#mayServe) this.#hub.endStreams();
      this.#lookAgain();
    });
  }
}
