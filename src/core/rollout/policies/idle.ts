import { after, type EpochMs } from '../../../base/units.ts';
import type { Move, Policy } from '../decision.ts';
import { sameRevision, wait } from '../flight.ts';
import type { Observed } from '../observed.ts';
import { tidy } from './template.ts';

/** Nothing of ours in the cluster before the finalizer promises to take it away again. */
export const finalizerMissing: Policy = (seen) => {
  if (seen.finalizer || seen.deleting) return undefined;
  return { ...wait('Initializing', 'the finalizer is added'), writes: [{ kind: 'AddFinalizer' }] };
};

export const workloadMissing: Policy = (seen) =>
  seen.workload || seen.deleting ? undefined : wait('WorkloadNotFound', 'the Deployment does not exist');

/** Without the label the webhook does not look at the Deployment. Observe mode does not hold anything. */
export const gateMissing: Policy = ({ workload, spec, status, deleting }) => {
  if (!workload || workload.gateLabel || deleting || status.inFlight || spec?.mode !== 'Act') return undefined;
  return { ...wait('Gating', 'the gate label is added'), writes: [{ kind: 'AddGateLabel' }] };
};

/** No revision is known to be good yet: the first that runs completely is. */
export const noStableYet: Policy = ({ status, workload, deleting }, now) => {
  if (status.stable || status.inFlight || !workload || deleting) return undefined;
  if (workload.paused)
    return {
      ...wait('UserPaused', 'the Deployment is paused; resume it so that a stable revision can be recorded'),
      phase: 'Initializing',
    };
  const { replicas, updatedReplicas, availableReplicas, totalReplicas } = workload;
  const complete =
    workload.current && [updatedReplicas, availableReplicas, totalReplicas].every((count) => count === replicas);
  if (!complete)
    return { ...wait('Initializing', 'the Deployment’s own update is not complete'), phase: 'Initializing' };
  const message = `${workload.hash} is stable`;
  return {
    reason: 'Initialized',
    message,
    phase: 'Healthy',
    set: { stable: { hash: workload.hash, digest: workload.digest, since: now, leftByFastRevert: false } },
    tell: [{ type: 'Normal', reason: 'Initialized', message }],
  };
};

/** The template changed and nothing held it: the gate was away, or there was nothing to protect. What comes out of it is the new stable. */
export const updatedUngated: Policy = ({ status, workload, deleting, spec }, now) => {
  if (
    !status.stable ||
    status.inFlight ||
    !workload ||
    deleting ||
    workload.paused ||
    workload.hash === status.stable.hash ||
    spec?.mode === 'Observe'
  )
    return undefined;
  const message = `the Deployment went from ${status.stable.hash} to ${workload.hash} without being held`;
  const unprotected = workload.replicas === 0;
  return {
    reason: 'UngatedUpdate',
    message,
    phase: 'Initializing',
    set: {
      stable: undefined,
      rolledBack: undefined,
      promoted: [{ ...status.stable, until: now }, ...status.promoted].slice(0, 10),
    },
    tell: unprotected ? [] : [{ type: 'Warning', reason: 'UngatedUpdate', message }],
  };
};

/**
 * The stable template in a set of another hash: with no history kept, the old set went with the last replica, and its hash
 * with it. Selectors name hashes, so the present one is what stable is called from now on.
 */
export const stableRenamed: Policy = ({ status, workload, deleting }) => {
  const { stable, inFlight } = status;
  if (!stable || inFlight || !workload || deleting || workload.paused) return undefined;
  if (workload.hash === stable.hash || !sameRevision(stable, workload)) return undefined;
  return {
    reason: 'Initialized',
    message: `stable ${stable.hash} is ${workload.hash} now: the same template in another set`,
    set: { stable: { ...stable, hash: workload.hash } },
  };
};

/** Its user paused it, not we: his business until he resumes, which the webhook turns into a start. */
export const pausedByUser: Policy = ({ status, workload }) => {
  if (status.inFlight || !workload?.paused || workload.marked) return undefined;
  return wait('UserPaused', 'the Deployment was paused by its user');
};

/** Held, and asking for stable: nothing to roll out, so it runs free again. */
export const heldAtStable: Policy = (seen) => {
  const { status, workload } = seen;
  if (status.inFlight || !workload?.paused || !workload.marked) return undefined;
  if (!status.stable || !sameRevision(status.stable, workload)) return undefined;
  if (seen.recordHash !== undefined) return { ...tidy(seen.recordHash), set: { rolledBack: undefined } };
  return {
    ...wait('Resuming', 'the Deployment asks for stable'),
    writes: [{ kind: 'Resume', hash: workload.hash }],
    set: { rolledBack: undefined },
  };
};

/** Rest, with an eye on the time right after a promotion. */
export const healthy: Policy = (seen, now) => {
  const { status } = seen;
  if (!status.stable) return wait('Initializing', 'no stable revision yet');
  if (seen.recordHash !== undefined) return tidy(seen.recordHash);
  return {
    reason: 'Healthy',
    message: `${status.stable.hash} serves all traffic`,
    phase: 'Healthy',
    tell: lateBreach(seen, now),
  };
};

/** Harm within the bake after a promotion is told, once; there is nothing to go back to by itself. */
function lateBreach({ status, guardrails, spec }: Observed, now: EpochMs): NonNullable<Move['tell']> {
  if (!status.stable || !spec || now > after(status.stable.since, spec.bake)) return [];
  const told = new Set(status.guardrails.filter(({ verdict }) => verdict === 'Harm').map(({ name }) => name));
  return guardrails
    .filter(({ status: state }) => state?.verdict === 'Harm' && !told.has(state.name))
    .map(({ status: state }) => ({
      type: 'Warning',
      reason: 'PostPromotionBreach',
      message: `guardrail ${state?.name}: ${state?.message ?? ''}`,
    }));
}

/** When an idle Rollout looks again by itself: only while it watches the time after a promotion. */
export const watchesPromotion = ({ status, spec }: Observed, now: EpochMs): boolean =>
  status.stable !== undefined && spec !== undefined && now <= after(status.stable.since, spec.bake);
