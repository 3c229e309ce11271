import type { Clock } from '../base/clock.ts';
import { SluiceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { contentIn } from './frames.ts';
import type { RulesetHub } from './hub.ts';
import { isOlder, madeOf } from './order.ts';
import { OthersPictures } from './others-pictures.ts';
import type { Picture } from './picture.ts';
import { encodePicture } from './picture-codec.ts';
import { type RedisStore, readNotice } from './redis-store.ts';
import { openSnapshot, type TrustedKeys } from './source.ts';

/** How often a picture that has changed is told, those of the others are read, and everything is looked through. */
const TELL_MS = 2_000;
const READ_MS = 5_000;
const ALL_MS = 20_000;
/** What waits to be carried to or from Redis, at a time. */
const CARRIED_AT_A_TIME = 4;

export interface FanOutPorts {
  readonly hub: RulesetHub;
  readonly store: RedisStore;
  readonly link: { readonly isUp: boolean; failed(error: unknown): void };
  /** Whose signature makes a ruleset good. */
  readonly keys: TrustedKeys;
  /** Name of this replica. */
  readonly replica: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Keeps the hub of this replica and Redis together. The leader's rulesets go to Redis, and come from there to the others, by their signature;
 * what each replica knows of its evaluators goes to Redis, and comes from there to the leader. While Redis is away nothing waits for it, and when
 * it is back, or has forgotten everything, all is written and read anew.
 */
export class FanOut {
  readonly #ports: FanOutPorts;
  readonly #others: OthersPictures;
  readonly #cancels = new Map<number, () => void>();
  /** Flag sets whose ruleset is to be looked at. */
  readonly #due = new Set<string>();
  #carriers = 0;
  #telling: Promise<void> = Promise.resolve();
  /** Number of the changes of a flag set that were told. */
  readonly #told = new Map<string, number>();
  /** Of namespaces that are gone, while Redis may have their ruleset. */
  readonly #withdrawn = new Set<string>();
  #isLeading = false;
  #isStopped = false;

  constructor(ports: FanOutPorts) {
    this.#ports = ports;
    this.#others = new OthersPictures(ports.store, ports.replica, ports.clock);
  }

  start(): void {
    this.#every(TELL_MS, () => this.#tell());
    this.#every(READ_MS, () => this.#read());
    this.#every(ALL_MS, () => this.#lookThrough());
  }

  lead(): void {
    this.#isLeading = true;
    this.#others.forget();
    this.#run(() => this.#ports.store.askForPictures());
    this.#run(() => this.#lookThrough());
  }

  follow(): void {
    this.#isLeading = false;
    this.#withdrawn.clear();
  }

  /** What `HubOptions.others` answers. */
  others(flagSetId: string): readonly Picture[] | undefined {
    return this.#isLeading ? this.#others.of(flagSetId) : undefined;
  }

  /** The leader has published a ruleset of it. */
  offer(flagSetId: string): void {
    this.#carry(flagSetId);
  }

  /** The namespace is gone. */
  withdraw(flagSetId: string): void {
    this.#withdrawn.add(flagSetId);
    this.#carry(flagSetId);
  }

  /** For the link. */
  onReady(): void {
    this.#told.clear();
    this.#run(() => this.#tell());
    this.#run(() => this.#lookThrough());
    if (this.#isLeading) this.#run(() => this.#ports.store.askForPictures());
  }

  /** For the link. */
  onMessage(message: string): void {
    const notice = readNotice(message);
    if (notice?.kind === 'Tell') {
      this.#told.clear();
      this.#run(() => this.#tell());
    }
    if (notice?.kind !== 'Ruleset') return;
    const { revision } = this.#ports.hub.newest(notice.flagSetId) ?? {};
    if (!this.#isLeading && notice.revision !== revision) this.#carry(notice.flagSetId);
  }

  /** Tells that nobody listens here any more: those who did are seen elsewhere, or gone. After the streams have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const cancel of this.#cancels.values()) cancel();
    const { hub, store, replica, link } = this.#ports;
    if (!link.isUp) return;
    const nobody = await encodePicture({ streams: new Map(), said: new Map(), evaluatedAt: new Map() });
    await this.#telling.catch(() => {}); // nothing may come after what is written now
    const all = hub.flagSets.map((flagSetId) => store.putPicture(flagSetId, replica, nobody));
    await Promise.allSettled(all);
  }

  #every(ms: number, job: () => Promise<void>): void {
    const again = async () => {
      await this.#guarded(job);
      if (!this.#isStopped) this.#cancels.set(ms, this.#ports.clock.after(ms, again));
    };
    this.#cancels.set(ms, this.#ports.clock.after(ms, again));
  }

  #run(job: () => Promise<void>): void {
    void this.#guarded(job);
  }

  /** Answers whether it was done. */
  async #guarded(job: () => Promise<void>): Promise<boolean> {
    const { link } = this.#ports;
    if (!link.isUp || this.#isStopped) return false;
    try {
      await job();
      return true;
    } catch (error) {
      link.failed(error);
      return false;
    }
  }

  /** One after the other, so that an older picture never comes last. */
  #tell(): Promise<void> {
    this.#telling = this.#telling.catch(() => {}).then(() => this.#tellChanged());
    return this.#telling;
  }

  /** Pictures that have changed since they were told. The ping finds a connection on which nobody answers. */
  async #tellChanged(): Promise<void> {
    const { hub, store, replica } = this.#ports;
    await store.ping();
    for (const flagSetId of new Set([...hub.flagSets, ...this.#told.keys()])) {
      const changes = hub.changes(flagSetId);
      if (changes === this.#told.get(flagSetId)) continue;
      const known = hub.picture(flagSetId);
      if (!known) {
        this.#told.delete(flagSetId);
        continue;
      }
      const picture = await encodePicture(known.picture);
      if (await this.#guarded(() => store.putPicture(flagSetId, replica, picture)))
        this.#told.set(flagSetId, known.changes);
    }
  }

  async #read(): Promise<void> {
    if (!this.#isLeading) return;
    let isWhole = true;
    for (const flagSetId of this.#ports.hub.flagSets)
      isWhole = (await this.#guarded(() => this.#readOne(flagSetId))) && isWhole;
    if (isWhole) this.#others.wasRead();
  }

  async #readOne(flagSetId: string): Promise<void> {
    const { hub, link } = this.#ports;
    const { isNews, damaged } = await this.#others.read(flagSetId);
    if (isNews) hub.touch(flagSetId);
    for (const replica of damaged) {
      const message = `what the replica ${replica} says of the evaluators of ${flagSetId} cannot be read`;
      link.failed(new SluiceError('SLUICE_REDIS_DAMAGED', message));
    }
  }

  /** Notices can be lost, and so can everything that Redis has. */
  async #lookThrough(): Promise<void> {
    this.#told.clear();
    for (const flagSetId of this.#ports.hub.flagSets) this.#carry(flagSetId);
    for (const flagSetId of this.#withdrawn) this.#carry(flagSetId);
  }

  /** A few at a time, each with what is newest when its turn comes: however fast flags change, little waits. */
  #carry(flagSetId: string): void {
    this.#due.add(flagSetId);
    if (this.#carriers >= CARRIED_AT_A_TIME) return;
    this.#carriers++;
    const work = async () => {
      for (let [next] = this.#due; next !== undefined; [next] = this.#due) {
        const one = next;
        this.#due.delete(one);
        await this.#guarded(() => (this.#isLeading ? this.#give(one) : this.#take(one)));
      }
      this.#carriers--;
    };
    void work();
  }

  /** From the leader to Redis. */
  async #give(flagSetId: string): Promise<void> {
    const { hub, store, logger } = this.#ports;
    if (this.#withdrawn.has(flagSetId)) {
      await store.dropRuleset(flagSetId);
      this.#withdrawn.delete(flagSetId);
    }
    const ours = hub.newest(flagSetId);
    if (!ours || (await store.keepRuleset(ours))) return;
    const content = contentIn(ours);
    if ((await store.putRuleset(ours, content)) === undefined) return;
    const theirs = await this.#open(flagSetId);
    const { revision } = ours;
    if (theirs && theirs.sealed.ruleset.revision > revision && isOlder(ours, madeOf(theirs.sealed.ruleset))) {
      // The next leader has written it.
      logger.warn({ flagSetId, revision }, 'Redis has a newer ruleset than this leader; it is left to end');
      return;
    }
    await store.dropRuleset(flagSetId); // it says of itself that it is newer
    await store.putRuleset(ours, content);
  }

  /** From Redis to who does not lead. */
  async #take(flagSetId: string): Promise<void> {
    const { hub, store } = this.#ports;
    const held = await store.revisionOf(flagSetId);
    if (held === undefined || held === hub.newest(flagSetId)?.revision) return;
    const opened = await this.#open(flagSetId);
    const ours = hub.newest(flagSetId);
    // A higher number that was made before is of a former namespace of this name. The ConfigMap brings what a clock keeps back here.
    if (opened && !(ours && madeOf(opened.sealed.ruleset).issuedAt < ours.issuedAt))
      hub.publish(opened.sealed, opened.content);
  }

  /** What Redis has, if it is a ruleset of this flag set that the leader has signed; anything else is taken out. */
  async #open(flagSetId: string) {
    const { store, keys, link } = this.#ports;
    const content = await store.contentOf(flagSetId);
    if (content === undefined) return undefined;
    const opened = openSnapshot(Buffer.from(content, 'base64'), keys);
    if (!('kind' in opened) && opened.ruleset.flagSetId === flagSetId) return { sealed: opened, content };
    const why = 'kind' in opened ? `${opened.code}: ${opened.message}` : `it is of ${opened.ruleset.flagSetId}`;
    link.failed(new SluiceError('SLUICE_REDIS_DAMAGED', `the ruleset of ${flagSetId} in Redis is refused: ${why}`));
    await store.dropRuleset(flagSetId);
    return undefined;
  }
}
