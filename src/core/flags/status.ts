import { type ConditionClaim, withConditions } from '../../api/condition.ts';
import type { FeatureFlagStatus } from '../../api/feature-flag-status.ts';
import type { EpochMs } from '../../base/units.ts';
import { isAccepted, type Verdict } from './compile-flags.ts';
import { withPresent } from './history.ts';
import type { ObservedFlag, Reach } from './observed.ts';

/** How the publication of the namespace's ruleset went. */
export interface Publication {
  /** The ruleset that evaluators are given now. */
  readonly revision: number;
  /** Why a newer one could not be published. */
  readonly refused: string | undefined;
  /** How far it has come; undefined where nobody knows yet. */
  readonly reach: Reach | undefined;
  /** Pods of the namespace want an evaluator and have none. */
  readonly hasPodsWithout: boolean;
}

/** Usage is written this rarely: thousands of flags that are always asked for must not be thousands of writes a minute. */
const USAGE_STEP_MS = 3_600_000;

/** Evaluators that lost the operator together come back one by one: the first of them is not all of them. */
const FOLLOWED_MS = 60_000;

/** What was decided about one flag. */
export interface FlagDecision {
  readonly verdict: Verdict;
  /** The ruleset says something else of it than the one before. */
  readonly changed: boolean;
}

/** The status that says what was decided and how its publication went. */
export function nextStatus(
  flag: ObservedFlag,
  { verdict, changed }: FlagDecision,
  publication: Publication,
  now: EpochMs,
): FeatureFlagStatus {
  const { status, generation } = flag;
  const history =
    flag.spec === undefined
      ? status.history
      : withPresent(status.history, {
          spec: flag.spec,
          at: flag.changedAt ?? now,
          author: flag.author,
          accepted: isAccepted(verdict) && publication.refused === undefined,
        });
  // Who published it may have ended before the status said so; what a status has not seen yet is followed from here on.
  const isUnseen = status.observedGeneration !== generation && isAccepted(verdict);
  const propagation = propagationOf(status, changed || isUnseen, publication, now);
  const claims = [
    accepted(verdict),
    published(verdict, changed, publication, propagation?.desired),
    expired(flag, now),
    ...injected(status, publication),
  ];
  const last = history.at(-1);
  const lastEvaluated = lastEvaluatedOf(flag, publication.reach);
  return {
    ...status,
    observedGeneration: generation,
    conditions: withConditions(status.conditions, claims, generation, now),
    history,
    ...(last && { revision: last.revision }),
    ...(propagation && { propagation }),
    ...(lastEvaluated !== undefined && { lastEvaluated }),
  };
}

type Propagation = NonNullable<FeatureFlagStatus['propagation']>;

/** Only of a flag that changed: otherwise each change of one would mean a write to all. */
function propagationOf(
  status: FeatureFlagStatus,
  changed: boolean,
  publication: Publication,
  now: EpochMs,
): Propagation | undefined {
  const { revision, refused, reach } = publication;
  const before = status.propagation;
  if (refused !== undefined) return before;
  if (changed || !before) return { desired: revision, acknowledged: 0, total: before?.total ?? 0, since: now };
  return reach ? withReach(before, reach, now) : before;
}

/** Followed for a while and until every evaluator runs it, then left alone: pods that come and go later are no news of this change. */
function withReach(before: Propagation, { running, seconds }: Reach, now: EpochMs): Propagation {
  const isOld = now - (before.since ?? 0) >= FOLLOWED_MS;
  const isDone = isOld && before.total > 0 && before.acknowledged >= before.total;
  if (isDone || running.length === 0) return before;
  const { desired, p99Seconds: _, ...others } = before;
  const acknowledged = running.filter((revision) => revision >= desired).length;
  const p99Seconds = p99Of(seconds.get(desired) ?? [], running.length) ?? before.p99Seconds;
  return {
    ...others,
    desired,
    acknowledged,
    total: running.length,
    ...(p99Seconds !== undefined && { p99Seconds }),
  };
}

/** Within how many seconds 99 of 100 had it; undefined until they have. Milliseconds are enough. */
function p99Of(seconds: readonly number[], total: number): number | undefined {
  const needed = Math.ceil(0.99 * total);
  const slowest = seconds.toSorted((a, b) => a - b)[needed - 1];
  return slowest === undefined ? undefined : Math.round(slowest * 1000) / 1000;
}

function lastEvaluatedOf({ source, status }: ObservedFlag, reach: Reach | undefined): EpochMs | undefined {
  const at = reach?.evaluatedAt.get(source.key);
  const isNews = at !== undefined && at - (status.lastEvaluated ?? 0) >= USAGE_STEP_MS;
  return isNews ? at : undefined;
}

function accepted({ reason, message }: Verdict): ConditionClaim {
  return { type: 'Accepted', status: reason === 'Compiled' ? 'True' : 'False', reason, message };
}

function published(
  { form }: Verdict,
  changed: boolean,
  { refused }: Publication,
  desired: number | undefined,
): ConditionClaim {
  const type = 'Published';
  if (changed && refused !== undefined) return { type, status: 'False', reason: 'Refused', message: refused };
  if (form === undefined)
    return { type, status: 'False', reason: 'LeftOut', message: 'The ruleset has nothing of it.' };
  return { type, status: 'True', reason: 'InRuleset', message: `The ruleset has it since revision ${desired}.` };
}

/** Said of those namespaces alone that ever had a pod without. No number: it would be a write to every flag for every pod. */
function injected({ conditions }: FeatureFlagStatus, { hasPodsWithout }: Publication): ConditionClaim[] {
  const type = 'Injected';
  if (hasPodsWithout) {
    const message =
      'Pods that want an evaluator have none, and get nothing of this flag: kubectl get pods -l sluice.dev/inject=true,!sluice.dev/injected';
    return [{ type, status: 'False', reason: 'PodsWithoutSidecar', message }];
  }
  if (!conditions.some((condition) => condition.type === type)) return [];
  return [{ type, status: 'True', reason: 'AllPods', message: 'All pods that want an evaluator have one.' }];
}

/** When the condition `Expired` changes by the clock alone. */
export const expiryOf = ({ expiresAt, purpose }: ObservedFlag): EpochMs | undefined =>
  purpose === 'Release' ? expiresAt : undefined;

export const isExpired = (flag: ObservedFlag, now: EpochMs): boolean => {
  const expiry = expiryOf(flag);
  return expiry !== undefined && now >= expiry;
};

function expired(flag: ObservedFlag, now: EpochMs): ConditionClaim {
  const type = 'Expired';
  if (isExpired(flag, now)) {
    const message = 'This release flag has outlived expiresAfter: remove it from the code, or say how long it stays.';
    return { type, status: 'True', reason: 'Outlived', message };
  }
  const reason = expiryOf(flag) === undefined ? 'NoDate' : 'InTime';
  return { type, status: 'False', reason, message: '' };
}
