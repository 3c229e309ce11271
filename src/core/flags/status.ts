import { type ConditionClaim, withConditions } from '../../api/condition.ts';
import type { FeatureFlagStatus } from '../../api/feature-flag-status.ts';
import type { EpochMs } from '../../base/units.ts';
import { isAccepted, type Verdict } from './compile-flags.ts';
import { withPresent } from './history.ts';
import type { ObservedFlag } from './observed.ts';

/** How the publication of the namespace's ruleset went. */
export interface Publication {
  /** The ruleset that evaluators are given now. */
  readonly revision: number;
  /** Why a newer one could not be published. */
  readonly refused: string | undefined;
}

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
  const propagation = propagationOf(status, changed, publication);
  const claims = [
    accepted(verdict),
    published(verdict, changed, publication, propagation?.desired),
    expired(flag, now),
  ];
  const last = history.at(-1);
  return {
    ...status,
    observedGeneration: generation,
    conditions: withConditions(status.conditions, claims, generation, now),
    history,
    ...(last && { revision: last.revision }),
    ...(propagation && { propagation }),
  };
}

/** Only of a flag that changed: otherwise each change of one would mean a write to all. */
function propagationOf(status: FeatureFlagStatus, changed: boolean, { revision, refused }: Publication) {
  if (refused !== undefined || (!changed && status.propagation)) return status.propagation;
  return { desired: revision, acknowledged: 0, total: status.propagation?.total ?? 0 };
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
