import type { InFlight } from '../../../api/rollout-status.ts';
import { after, type DurationMs, type EpochMs } from '../../../base/units.ts';
import type { Move, Policy } from '../decision.ts';
import { beginRetreat, enter, isFinishing, sameRevision, wait } from '../flight.ts';
import type { Observed, WorkloadSeen } from '../observed.ts';
import { withoutAims } from '../plan.ts';
import { routerOf } from '../router.ts';

/** The user took the change back: nothing is left to roll out. */
export const stableTemplateReturned: Policy = (seen, now) => {
  const flight = goingForward(seen);
  if (!flight || seen.workload?.hash !== flight.stableHash) return undefined;
  return beginRetreat(seen, flight, 'StableReturned', 'the Deployment asks for the stable template again', now);
};

/** The user pushed another change in the middle. */
export const newTemplate: Policy = (seen, now) => {
  const flight = goingForward(seen);
  if (!flight || !seen.workload || seen.workload.hash === flight.hash || seen.workload.hash === flight.stableHash)
    return undefined;
  return beginRetreat(seen, flight, 'NewTemplate', `the Deployment asks for ${seen.workload.hash} now`, now);
};

function goingForward(seen: Observed): InFlight | undefined {
  const flight = seen.status.inFlight;
  return flight && !flight.retreat && !isFinishing(flight) && flight.stage !== 'Observing' ? flight : undefined;
}

/**
 * Scaled to 0 in the middle: no traffic, no canary, and a wait. It comes back where it was, step by step as after a canary
 * that could not serve, but it is nobody's fault and is not counted.
 */
export const scaledToZero: Policy = (seen, now) => {
  const flight = goingForward(seen);
  if (!flight || seen.workload?.replicas !== 0) return undefined;
  const { unavailableSince: _noDeadline, ...idle } = flight;
  const aimed = flight.weightBp > 0 || flight.matchStep !== undefined || flight.shadowStep !== undefined;
  if (!aimed) return { ...wait('ScaledToZero', 'the Deployment has 0 replicas'), flight: idle, phase: 'Paused' };
  const { hold: _startsAnew, ...kept } = withoutAims(idle);
  const match = flight.matchStep === undefined ? {} : { matchStep: flight.matchStep };
  return {
    reason: 'ScaledToZero',
    message: 'the Deployment has 0 replicas',
    writes: [{ kind: 'Lower', verdict: 'Lowered' }],
    flight: { ...enter(kept, 'Scaling', now), lowered: { at: now, weightBp: flight.weightBp, ...match } },
    phase: 'Paused',
  };
};

/** A held Deployment with a new template and nothing in flight. */
export const startRollout: Policy = (seen, now) => {
  const { status, workload, spec } = seen;
  if (!workload || !spec || status.inFlight || !status.stable || seen.deleting) return undefined;
  if (!workload.paused || !workload.marked || workload.hash === status.stable.hash) return undefined;
  if (status.rolledBack?.hash === workload.hash) return undefined;
  if (workload.replicas === 0)
    return wait('ScaledToZero', 'held at 0 replicas; the rollout starts when it is scaled up');
  // Once it has begun, a fast revert has its pods ready while it waits for a route; with a dead stable it needs none.
  const isUrgent = qualifiesForFastRevert(seen, workload, now);
  const problem = seen.problems.find(({ passing }) => !(passing && isUrgent));
  if (problem) return wait(problem.code, problem.message);
  if (status.notBefore !== undefined && now < status.notBefore)
    return wait('RetryWaits', 'samples from before the retry must leave the window', status.notBefore);
  if (seen.recordHash !== undefined && seen.recordHash !== workload.hash) return tidy(seen.recordHash);
  return begin(seen, workload, now);
};

/** A new flight towards the template that the Deployment asks for. */
export function begin(seen: Observed, { hash, digest, keepsSet, generation }: WorkloadSeen, now: EpochMs): Move {
  const { status, spec } = seen;
  if (!spec || !status.stable) return wait('Initializing', 'no stable revision is recorded yet');
  const fastRevert = qualifiesForFastRevert(seen, { hash, digest }, now);
  const flight: InFlight = {
    hash,
    stableHash: status.stable.hash,
    generation,
    startedAt: now,
    fastRevert,
    takenOver: keepsSet,
    // A fast revert moves everybody at once.
    ...(spec.traffic.stickiness && !fastRevert ? { stickiness: spec.traffic.stickiness } : {}),
    router: routerOf(spec),
    steps: spec.steps,
    step: fastRevert ? spec.steps.length : 0,
    stage: 'Preparing',
    stageSince: now,
    weightBp: 0,
    full: false,
    loweredCount: 0,
    unavailableSince: now,
  };
  return {
    reason: fastRevert ? 'FastRevertStarted' : 'RolloutStarted',
    message: `${status.stable.hash} → ${hash}`,
    flight,
    // Samples and budgets belong to one revision; a raise later must carry a higher epoch than anything before.
    set: {
      rolledBack: undefined,
      notBefore: undefined,
      guardrails: [],
      epoch: status.epoch + 1,
      pausedByAction: false,
    },
    tell: [
      {
        type: 'Normal',
        reason: fastRevert ? 'FastRevertStarted' : 'RolloutStarted',
        message: `${status.stable.hash} → ${hash}`,
      },
    ],
  };
}

/** Back to a revision that was promoted before the present stable, lately, and that no fast revert has left since. */
function qualifiesForFastRevert(
  { status, spec }: Observed,
  asked: Pick<WorkloadSeen, 'hash' | 'digest'>,
  now: EpochMs,
): boolean {
  const former = status.promoted.find((promoted) => sameRevision(promoted, asked));
  if (!spec || !former || former.leftByFastRevert || former.until === undefined) return false;
  return now < after(former.until, spec.fastRevert.within as DurationMs);
}

/** What a rollback left for the sake of a held template; a taken-over set is handed back before its owner goes. */
export const tidy = (hash: string): Move => ({
  ...wait('CleaningUp', 'what the last rollout left is removed'),
  writes: [{ kind: 'RemoveCanary', hash }, { kind: 'RemoveRecord' }],
});

/** A rolled-back revision that the Deployment still asks for: it stays held, whatever else, until a new template or a retry. */
export const staysRolledBack: Policy = (seen) => {
  const { status, workload } = seen;
  if (status.inFlight || !status.rolledBack || !workload || workload.hash !== status.rolledBack.hash) return undefined;
  const { reason, message } = status.rolledBack;
  return { ...wait(reason, message), phase: 'RolledBack' };
};
