import { generateKeyPairSync } from 'node:crypto';
import { Agent, request } from 'undici';
import { onTestFinished } from 'vitest';
import type { Logger } from '../../src/base/logger.ts';
import { seededRandom } from '../../src/base/random.ts';
import type { Installation } from '../../src/controllers/feature-flag/installation.ts';
import type { ConfigMap } from '../../src/kube/builtins.ts';
import type { RedisSettings } from '../../src/rulesets/redis-link.ts';
import { RulesetService } from '../../src/server/ruleset-service.ts';
import { type LeadersHub, SharedRulesets } from '../../src/server/shared-rulesets.ts';
import { keyIdOf, type SealedRuleset } from '../../src/wire/sealed-ruleset.ts';
import { SNAPSHOT_FILE, SNAPSHOT_NAME } from '../../src/wire/snapshot.ts';
import { FakeClock } from './fake-clock.ts';
import { caFileOf, contentOf, issueTls, sealedWith, startEvaluator, type TestEvaluator, until } from './stream.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');

/** What all replicas of one operator share, as the API server has it, without one. */
export class TestInstallation {
  /** Of all replicas and their hubs. Streams last for an hour of it. */
  readonly clock = new FakeClock(Date.now());
  readonly snapshots = new Map<string, ConfigMap>();
  readonly replicas: TestReplica[] = [];
  readonly key = { id: keyIdOf(publicKey), privateKey };
  readonly installation: Installation = {
    signingKey: this.key,
    publicKey,
    unitHashSalt: sealedWith(1).ruleset.unitHashSalt,
  };
  readonly tls = issueTls();

  /** As the controller of a leader: the ConfigMap first, then who is connected. */
  publish(leader: TestReplica, sealed: SealedRuleset): void {
    const { flagSetId, revision } = sealed.ruleset;
    const metadata = {
      namespace: flagSetId,
      name: SNAPSHOT_NAME,
      annotations: { 'sluice.dev/revision': `${revision}` },
    };
    const binaryData = { [SNAPSHOT_FILE]: contentOf(sealed) };
    this.snapshots.set(flagSetId, { apiVersion: 'v1', kind: 'ConfigMap', metadata, binaryData });
    this.tell(flagSetId);
    leader.leads?.publish(sealed, contentOf(sealed));
  }

  /** The namespace is gone. */
  remove(leader: TestReplica, flagSetId: string): void {
    this.snapshots.delete(flagSetId);
    this.tell(flagSetId);
    leader.leads?.withdraw(flagSetId);
  }

  tell(flagSetId: string): void {
    for (const replica of this.replicas) replica.hear(flagSetId);
  }

  sealed(revision: number): SealedRuleset {
    return sealedWith(revision, { key: this.key });
  }

  async evaluator(address: string, subscriber: string): Promise<TestEvaluator> {
    const keys = new Map([[this.key.id, publicKey]]);
    return startEvaluator(address, { subscriber, token: TOKEN, keys, caFile: await caFileOf(this.tls) });
  }

  /** The status of an answer of a replica. */
  async ask(url: string, options: Parameters<typeof request>[1] = {}): Promise<number> {
    const dispatcher = new Agent({ connect: { ca: this.tls.ca } });
    const { statusCode, body } = await request(url, { ...options, dispatcher });
    await body.dump();
    return statusCode;
  }

  /** Waits while the time of the replicas goes on. */
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<unknown> {
    return until(what, async () => {
      await this.clock.advance(500);
      return holds();
    });
  }
}

/** One replica, over loopback. */
export class TestReplica {
  leads: LeadersHub | undefined;
  /** Its watch says nothing any more. */
  isDeaf = false;
  /** Since the API server answered. */
  silentForMs = 0;
  port = 0;
  /** What it logged. */
  readonly lines: string[] = [];
  readonly reported: string[] = [];
  readonly shared: SharedRulesets;
  readonly service: RulesetService;
  readonly #tls: TestInstallation['tls'];
  readonly #cached = new Map<string, ConfigMap>();

  constructor(of: TestInstallation, replica: string, redis: RedisSettings) {
    this.#tls = of.tls;
    const log = (facts: object, message: string) => void this.lines.push(`${message} ${JSON.stringify(facts)}`);
    const logger: Logger = { debug: log, info: log, warn: log, error: log };
    const snapshots = {
      get: ({ namespace = '' }: { readonly namespace?: string | undefined }) => this.#cached.get(namespace),
      list: () => this.#cached.values(),
    };
    this.shared = new SharedRulesets({
      redis: { ...redis, keyPrefix: 'test:' },
      replica,
      snapshots,
      loadInstallation: async () => of.installation,
      silentForMs: () => this.silentForMs,
      clock: of.clock,
      random: seededRandom(1),
      logger,
    });
    const client = { raw: async () => review } as unknown as ConstructorParameters<typeof RulesetService>[0]['client'];
    this.service = new RulesetService({ client, clock: of.clock, logger, shared: this.shared });
    this.hear = (flagSetId) => {
      if (this.isDeaf) return;
      const object = of.snapshots.get(flagSetId);
      if (object) this.#cached.set(flagSetId, object);
      else this.#cached.delete(flagSetId);
      this.shared.look(flagSetId);
    };
    of.replicas.push(this);
  }

  /** A ConfigMap has changed. */
  readonly hear: (flagSetId: string) => void;

  get address(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    this.port = await this.service.start({ host: '127.0.0.1', port: 0 }, this.#tls);
    onTestFinished(() => this.stop());
    return this;
  }

  lead(): this {
    this.leads = this.service.lead((flagSetId) => this.reported.push(flagSetId));
    return this;
  }

  follow(): void {
    this.leads = undefined;
    this.service.follow();
  }

  stop(): Promise<void> {
    return this.service.stop();
  }
}

const user = { username: 'system:serviceaccount:shop:web' };
/** Of both kinds: everybody is the account `web` of `shop`, and may read nothing else. */
const review = { status: { authenticated: true, audiences: ['sluice'], user, allowed: false } };
/** A token that the reviewer above knows for long. */
export const TOKEN = `e30.${Buffer.from(JSON.stringify({ exp: 4_000_000_000 })).toString('base64url')}.x`;
