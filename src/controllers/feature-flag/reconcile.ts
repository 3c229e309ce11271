import { isDeepStrictEqual } from 'node:util';
import type { FeatureFlagStatus } from '../../api/feature-flag-status.ts';
import { encodeFeatureFlagStatus } from '../../api/parse.ts';
import type { Clock } from '../../base/clock.ts';
import { SluiceError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { EpochMs } from '../../base/units.ts';
import { isAccepted } from '../../core/flags/compile-flags.ts';
import { decideFlags, type FlagsDecision, type UndatedRuleset, withSwitchesOnly } from '../../core/flags/decide.ts';
import type { ObservedFlag, ObservedFlags, Reach } from '../../core/flags/observed.ts';
import { isExpired, nextStatus, type Publication } from '../../core/flags/status.ts';
import type { ConfigMap } from '../../kube/builtins.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isConflict, isNotFound } from '../../kube/kube-error.ts';
import { type Ruleset, sizeProblem } from '../../wire/ruleset.ts';
import { digestOf, type SealedRuleset, sealRuleset } from '../../wire/sealed-ruleset.ts';
import { MAX_SWITCHED_BYTES, SNAPSHOT_NAME } from '../../wire/snapshot.ts';
import { observedFlag, observedFlags } from './gather.ts';
import type { Installation } from './installation.ts';
import { rolloutFlags } from './rollout-flags.ts';
import {
  contentOf,
  holdsTrust,
  publishedIn,
  sealedIn,
  trustOf,
  type WriteAt,
  writeSnapshot,
  writeTrust,
} from './snapshot-store.ts';
import { type FlagObject, type FlagSources, featureFlagsResource } from './sources.ts';

/** Statuses written in one pass, so that the next kill never waits for those of thousands of flags. */
const STATUSES_PER_PASS = 100;
const WRITES_AT_A_TIME = 8;

/** Of one namespace, for metrics. */
export interface FlagCounts {
  readonly total: number;
  readonly notAccepted: number;
  readonly expired: readonly string[];
  readonly revision: number;
}

export interface FlagReconcilePorts {
  readonly client: KubeClient;
  readonly sources: FlagSources;
  /** Asked until it answers once: a Secret that cannot be used fails passes for flags, and nothing else. */
  loadInstallation(signal: AbortSignal): Promise<Installation>;
  /** By which evaluators know the operator (PEM). */
  authorities(): string;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * Gives a ruleset to evaluators that are connected. Called once its snapshot is written, never before, and with the last one
   * that stands when a leader begins. `content`: the snapshot in Base64.
   */
  publish(sealed: SealedRuleset, content: string): void;
  /** The namespace has neither flags nor a snapshot any more. */
  withdraw(namespace: string): void;
  /** What evaluators have said; changes seldom enough that each change may be written down. */
  reach(namespace: string): Reach | undefined;
  /** Whether pods of the namespace want an evaluator and have none. */
  hasPodsWithout(namespace: string): boolean;
  announce(flag: FlagObject, type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** Undefined: the namespace has neither flags nor a ruleset. */
  counted(namespace: string, counts: FlagCounts | undefined): void;
}

/** Gather, decide, apply: one pass for one namespace. The ruleset goes first; statuses tell about it. */
export class FlagReconciler {
  readonly #ports: FlagReconcilePorts;
  #installation: Installation | undefined;
  /** Our last write of a snapshot, until the cache has it or something newer. */
  readonly #written = new Map<string, { readonly base: string; readonly object: ConfigMap }>();

  /** Version of the snapshot of each namespace that was given to `publish`. */
  readonly #standing = new Map<string, string>();

  /** By namespace: the newest revision that was given to `publish`. Kept when a namespace is gone: numbers cost nothing. */
  readonly #newest = new Map<string, number>();

  /** By namespace: which flags could not be published last, and why. */
  readonly #tooLarge = new Map<string, { readonly digest: string; readonly why: string }>();

  constructor(ports: FlagReconcilePorts) {
    this.#ports = ports;
  }

  reconcile = async (namespace: string, signal: AbortSignal): Promise<{ at?: EpochMs }> => {
    const { sources, clock, counted, loadInstallation } = this.#ports;
    this.#installation ??= await loadInstallation(signal);
    const installation = this.#installation;
    const objects = sources.flags.byIndex('namespace', namespace);
    const snapshot = this.#snapshotOf(namespace);
    const seen: ObservedFlags = {
      namespace,
      flags: await observedFlags(objects, signal),
      builtIn: rolloutFlags(sources.rollouts, namespace, sources.home),
      publishedHere: this.#newest.get(namespace) ?? 0,
      published: snapshot && publishedIn(snapshot, installation),
      unitHashSalt: installation.unitHashSalt,
    };
    const now = clock.now();
    const decision = decideFlags(seen, now);
    const at = { namespace, before: snapshot, trust: trustOf(this.#ports.authorities(), installation), signal };
    const publication = await this.#publish(decision, installation, at);
    if (!decision.ruleset) this.#publishStanding(namespace, snapshot, installation);
    await this.#refreshTrust(at);
    const isGone = objects.length === 0 && this.#snapshotOf(namespace) === undefined;
    counted(namespace, isGone ? undefined : countsOf(seen, decision, publication, now));
    const due = objects.flatMap((object) => this.#dueStatus(object, decision, publication, now));
    await this.#writeStatuses(due.slice(0, STATUSES_PER_PASS), signal);
    if (due.length > STATUSES_PER_PASS) return { at: now };
    return decision.recheckAt === undefined ? {} : { at: decision.recheckAt };
  };

  #snapshotOf(namespace: string): ConfigMap | undefined {
    const cached = this.#ports.sources.snapshots.get({ namespace, name: SNAPSHOT_NAME });
    const written = this.#written.get(namespace);
    if (written && (cached?.metadata.resourceVersion ?? '') === written.base) return written.object;
    this.#written.delete(namespace);
    return cached;
  }

  /** What the leader before this one has published goes on. */
  #publishStanding(namespace: string, snapshot: ConfigMap | undefined, installation: Installation): void {
    if (!snapshot) {
      this.#standing.delete(namespace);
      this.#ports.withdraw(namespace);
      return;
    }
    const { resourceVersion = '' } = snapshot.metadata;
    if (this.#standing.get(namespace) === resourceVersion) return;
    this.#standing.set(namespace, resourceVersion);
    const sealed = sealedIn(snapshot, installation);
    if (sealed) this.#give(sealed, snapshot);
  }

  #give(sealed: SealedRuleset, snapshot: ConfigMap): void {
    this.#newest.set(sealed.ruleset.flagSetId, sealed.ruleset.revision);
    this.#ports.publish(sealed, contentOf(snapshot));
  }

  /** After the ruleset: a kill never waits for a certificate. */
  async #refreshTrust({ namespace, trust, signal }: WriteAt): Promise<void> {
    const standing = this.#snapshotOf(namespace);
    if (!standing || holdsTrust(standing, trust)) return;
    this.#wrote(namespace, await writeTrust(this.#ports.client, standing, { trust, signal }));
  }

  /** A ruleset that is too large is refused; kill switches go out all the same, in the last good one. */
  async #publish({ ruleset, revision }: FlagsDecision, installation: Installation, at: WriteAt): Promise<Publication> {
    const around = {
      reach: this.#ports.reach(at.namespace),
      hasPodsWithout: this.#ports.hasPodsWithout(at.namespace),
    };
    if (!ruleset) return { revision, refused: undefined, ...around };
    const refused = await this.#putUnlessTooLarge(ruleset, installation, at);
    if (refused === undefined) return { revision: ruleset.revision, refused, ...around };
    const reduced = withSwitchesOnly(at.before && publishedIn(at.before, installation), ruleset);
    if (reduced) await this.#put(reduced, installation, { ...at, maxBytes: MAX_SWITCHED_BYTES });
    return { revision: reduced?.revision ?? revision, refused, ...around };
  }

  /** Why it is too large to be put. The same flags are not compressed for that again in each pass. */
  async #putUnlessTooLarge(
    ruleset: UndatedRuleset,
    installation: Installation,
    at: WriteAt,
  ): Promise<string | undefined> {
    const { namespace } = at;
    const known = this.#tooLarge.get(namespace);
    if (known && known.digest === digestOf(ruleset.flags)) return known.why;
    try {
      await this.#put(ruleset, installation, at);
      this.#tooLarge.delete(namespace);
      return undefined;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'SLUICE_RULESET_TOO_LARGE') throw error;
      this.#ports.logger.error({ namespace, err: error }, 'a ruleset was not published');
      this.#tooLarge.set(namespace, { digest: digestOf(ruleset.flags), why: error.message });
      return error.message;
    }
  }

  async #put(undated: UndatedRuleset, installation: Installation, at: WriteAt): Promise<void> {
    const { client, clock } = this.#ports;
    // Later than the one before, whatever the clock of another leader said: evaluators go by that too.
    const { issuedAt = 0 } = (at.before && publishedIn(at.before, installation)) ?? {};
    const ruleset: Ruleset = { ...undated, issuedAt: new Date(Math.max(clock.now(), issuedAt + 1)).toISOString() };
    refuseTooLarge(ruleset);
    const sealed = sealRuleset(ruleset, installation.signingKey);
    const object = await writeSnapshot(client, sealed, at);
    this.#wrote(at.namespace, object);
    this.#give(sealed, object);
  }

  #wrote(namespace: string, object: ConfigMap): void {
    const { snapshots } = this.#ports.sources;
    const base = snapshots.get({ namespace, name: SNAPSHOT_NAME })?.metadata.resourceVersion ?? '';
    // The cache may have our write by now; then there is nothing to bridge.
    if (base !== object.metadata.resourceVersion) this.#written.set(namespace, { base, object });
    this.#standing.set(namespace, object.metadata.resourceVersion ?? '');
  }

  #dueStatus(object: FlagObject, decision: FlagsDecision, publication: Publication, now: EpochMs): DueStatus[] {
    const flag = observedFlag(object);
    const decided = decision.flags.get(object.metadata.name);
    if (!decided) return [];
    const next = nextStatus(flag, decided, publication, now);
    return isDeepStrictEqual(flag.status, next) ? [] : [{ object, flag, next }];
  }

  async #writeStatuses(due: readonly DueStatus[], signal: AbortSignal): Promise<void> {
    const left = [...due];
    const failures: unknown[] = [];
    const work = async () => {
      for (let one = left.shift(); one; one = left.shift()) {
        await this.#writeStatus(one, signal).catch((error) => {
          // Changed or deleted meanwhile: that event brings the next pass.
          if (!isConflict(error) && !isNotFound(error)) failures.push(error);
        });
      }
    };
    await Promise.all(Array.from({ length: WRITES_AT_A_TIME }, work));
    if (failures.length > 0) throw failures[0];
  }

  /** Tells what changed only after the write that makes it true. */
  async #writeStatus({ object, flag, next }: DueStatus, signal: AbortSignal): Promise<void> {
    const { client, announce } = this.#ports;
    const written: FlagObject = { ...object, status: encodeFeatureFlagStatus(next) };
    await client.replace(featureFlagsResource, written, { signal, subresource: 'status' });
    for (const type of ['Accepted', 'Published', 'Expired']) {
      const before = flag.status.conditions.find((one) => one.type === type);
      const after = next.conditions.find((one) => one.type === type);
      if (!after || (before?.status === after.status && before.reason === after.reason)) continue;
      const isGood = (after.status === 'True') === (type !== 'Expired');
      if (before || !isGood) announce(object, isGood ? 'Normal' : 'Warning', after.reason, after.message);
    }
  }
}

interface DueStatus {
  readonly object: FlagObject;
  readonly flag: ObservedFlag;
  readonly next: FeatureFlagStatus;
}

/** What every evaluator would refuse, so that no kill switch would come through any more. */
function refuseTooLarge(ruleset: Ruleset): void {
  const problem = sizeProblem(ruleset);
  if (!problem) return;
  const why = `the ruleset of ${ruleset.flagSetId} cannot be used: ${problem.path} ${problem.message}`;
  throw new SluiceError('SLUICE_RULESET_TOO_LARGE', why);
}

function countsOf(
  { flags }: ObservedFlags,
  decision: FlagsDecision,
  { revision }: Publication,
  now: EpochMs,
): FlagCounts {
  return {
    total: flags.length,
    notAccepted: [...decision.flags.values()].filter(({ verdict }) => !isAccepted(verdict)).length,
    expired: flags.filter((flag) => isExpired(flag, now)).map(({ source }) => source.name),
    revision,
  };
}
