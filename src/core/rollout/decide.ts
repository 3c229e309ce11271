import { withConditions } from '../../api/condition.ts';
import type { InFlight, Phase, RolloutStatus } from '../../api/rollout-status.ts';
import { after, type DurationMs, type EpochMs } from '../../base/units.ts';
import { worstVerdict } from '../guardrails/judge.ts';
import { served } from './capacity.ts';
import { claimsOf } from './conditions.ts';
import type { Decision, Move, Policy, Write } from './decision.ts';
import { isFinishing, isPromoting } from './flight.ts';
import { maintenance, withDeadline } from './maintain.ts';
import type { Observed } from './observed.ts';
import { actionAsked } from './policies/action.ts';
import {
  holdNotOver,
  nextStep,
  paused,
  routeNotProgrammed,
  serviceUnpinned,
  silentOrBad,
  specUnusable,
  stableBelowStrength,
} from './policies/advance.ts';
import { deletion } from './policies/deletion.ts';
import {
  finalizerMissing,
  gateMissing,
  healthy,
  heldAtStable,
  noStableYet,
  pausedByUser,
  stableRenamed,
  updatedUngated,
  watchesPromotion,
  workloadMissing,
} from './policies/idle.ts';
import { observing } from './policies/observe.ts';
import { evaluatorsLost, evaluatorsNotReady } from './policies/per-user.ts';
import { handOverDone, promotionSequence } from './policies/promotion.ts';
import { retreatSequence } from './policies/retreat.ts';
import {
  abortAsked,
  breach,
  canaryCannotServe,
  noLongerHeld,
  podsFailing,
  recordSaysRolledBack,
} from './policies/safety.ts';
import { stableDown } from './policies/stable-down.ts';
import { startSequence } from './policies/start.ts';
import {
  newTemplate,
  scaledToZero,
  stableTemplateReturned,
  startRollout,
  staysRolledBack,
} from './policies/template.ts';

/**
 * First answer wins, so the order is the safety argument (docs/rollouts.md, phases and policies): what cannot be undone,
 * then what takes traffic away, then what changed under us, then every reason to wait, and only at the end what goes up.
 */
export const policies: Readonly<Record<string, Policy>> = {
  finishedRoutes, // a finishing flight too lets its routes follow status
  handOverDone,
  deletion,
  abortAsked,
  breach,
  recordSaysRolledBack, // after breach, which knows the evidence where there still is some
  noLongerHeld,
  canaryCannotServe,
  actionAsked,
  retreatingRoutes, // going back: the routes follow status before the next stage
  retreatSequence,
  observing,
  stableTemplateReturned,
  newTemplate,
  scaledToZero,
  paused,
  specUnusable,
  podsFailing,
  stableDown, // before silence, which may come of a stable that answers nothing, and the routes, which may not be raised while it lasts
  silentOrBad,
  evaluatorsNotReady, // before the route, so that its rule is aimed last
  routeNotProgrammed,
  evaluatorsLost,
  serviceUnpinned,
  stableBelowStrength,
  holdNotOver,
  startSequence,
  nextStep,
  promotionSequence,
  // nothing in flight
  workloadMissing,
  finalizerMissing,
  gateMissing,
  noStableYet,
  stableRenamed,
  updatedUngated,
  pausedByUser,
  heldAtStable,
  staysRolledBack,
  startRollout,
  healthy,
};

/** What to do now, from what is seen now. Pure and total: for any input that a user can cause there is an answer. */
export function decide(seen: Observed, now: EpochMs): Decision {
  for (const [name, policy] of Object.entries(policies)) {
    const move = policy(seen, now);
    if (move) return conclude(name, move, seen, now);
  }
  return conclude('none', { reason: 'Waiting', message: '' }, seen, now);
}

function finishedRoutes(seen: Observed, now: EpochMs): Move | undefined {
  const flight = seen.status.inFlight;
  if (flight?.stage !== 'FinishingRoute') return undefined;
  const { totalReplicas = 0, replicas = 0 } = seen.workload ?? {};
  if (totalReplicas > replicas)
    return { reason: 'OldPodsGo', message: 'the route goes back when the old pods are gone' };
  return routeNotProgrammed(seen, now);
}

function retreatingRoutes(seen: Observed, now: EpochMs): Move | undefined {
  return seen.status.inFlight?.retreat ? routeNotProgrammed(seen, now) : undefined;
}

/** How often something in flight is looked at even if nothing happens: a lost event must not stop a rollout. */
const LOOK_AGAIN_MS = 10_000 as DurationMs;

function conclude(policy: string, move: Move, seen: Observed, now: EpochMs): Decision {
  const before = seen.status;
  const moved = move.flight === undefined ? before.inFlight : (move.flight ?? undefined);
  const flight = moved && served(withDeadline(seen, moved, now), seen);
  const writes = move.writes ?? [];
  const decided = new Set<Write['kind']>(writes.map(({ kind }) => (kind === 'RemoveCanary' ? 'ScaleCanary' : kind)));
  const { inFlight: _before, ...rest } = before;
  const next: RolloutStatus = {
    ...rest,
    guardrails: seen.guardrails.flatMap(({ status }) => (status ? [status] : [])),
    ...move.set,
    ...(flight ? { inFlight: flight } : {}),
    observedGeneration: seen.generation,
    phase: move.phase ?? phaseOf(before.phase, flight),
    reason: move.reason,
    message: move.message.slice(0, 1024),
    ...words(flight),
    verdict: worstVerdict(seen.guardrails),
    nextAt: move.recheckAt,
    actionIds:
      seen.action && move.by !== undefined ? [seen.action.id, ...before.actionIds].slice(0, 20) : before.actionIds,
  };
  const claims = [...claimsOf(seen, next), ...(move.claims ?? [])];
  const recheckAt = earliest(
    move.recheckAt,
    flight || watchesPromotion(seen, now) ? after(now, LOOK_AGAIN_MS) : undefined,
  );
  return {
    policy,
    reason: move.reason,
    message: move.message,
    writes: [...writes, ...maintenance(seen, flight).filter(({ kind }) => !decided.has(kind))],
    status: {
      ...next,
      conditions: withConditions(before.conditions, claims, seen.generation, now),
      transitions: withTransition(before, next, move, now),
    },
    tell: move.tell ?? [],
    ...(recheckAt === undefined ? {} : { recheckAt }),
  };
}

function phaseOf(before: Phase, flight: InFlight | undefined): Phase {
  if (!flight) return before;
  if (flight.retreat) return 'RollingBack';
  return isPromoting(flight) || isFinishing(flight) ? 'Promoting' : 'Progressing';
}

function words(flight: InFlight | undefined): Pick<RolloutStatus, 'step' | 'weight'> {
  if (!flight || flight.stage === 'Observing') return { step: undefined, weight: undefined };
  const total = flight.steps.length;
  return { step: `${Math.min(flight.step + 1, total)}/${total}`, weight: `${flight.weightBp / 100}%` };
}

function withTransition(
  before: RolloutStatus,
  next: RolloutStatus,
  move: Move,
  now: EpochMs,
): RolloutStatus['transitions'] {
  const stepped = before.inFlight?.step !== next.inFlight?.step && next.inFlight !== undefined;
  if (before.phase === next.phase && !stepped && move.by === undefined) return before.transitions;
  const entry = {
    at: now,
    from: before.phase,
    to: next.phase,
    reason: move.reason,
    message: move.message.slice(0, 1024),
    by: move.by ?? 'sluice',
  };
  return [entry, ...before.transitions].slice(0, 20);
}

const earliest = (...times: (EpochMs | undefined)[]): EpochMs | undefined => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : (Math.min(...known) as EpochMs);
};
