import { formatDuration } from '../../../api/duration.ts';
import type { RolloutSpec } from '../../../api/rollout.ts';
import type { InFlight, Stage } from '../../../api/rollout-status.ts';
import { after, type DurationMs, type EpochMs, FULL_WEIGHT_BP } from '../../../base/units.ts';
import { canaryAvailable, canarySize, stableStrong } from '../capacity.ts';
import type { Move, Policy } from '../decision.ts';
import { beginRetreat, enter, isCommitted, isFinishing, wait, waitFor } from '../flight.ts';
import { credit, evidence, type Hold, interrupt, missing } from '../hold.ts';
import type { Observed } from '../observed.ts';
import { awaitsPin, unpinnedMessage } from '../pin.ts';
import { isRaise, planOf, withAims } from '../plan.ts';
import { stableIsDown, waitForStable } from '../stable-down.ts';
import { goBackUnlessNowhere } from './safety.ts';

/** A flight on its way up that a wait can still stop, with its spec. */
export function climbing(seen: Observed): { flight: InFlight; spec: RolloutSpec } | undefined {
  const { inFlight: flight } = seen.status;
  if (
    !flight ||
    !seen.spec ||
    flight.retreat ||
    isFinishing(flight) ||
    isCommitted(flight) ||
    flight.stage === 'Observing'
  )
    return undefined;
  return { flight, spec: seen.spec };
}

const holds = (flight: InFlight) => flight.stage === 'Holding' || flight.stage === 'Baking';

/** The flight as it waits: what is not proven by now will not count. */
export function interrupted(flight: InFlight, now: EpochMs): InFlight {
  return flight.hold ? { ...flight, hold: interrupt(flight.hold, now) } : flight;
}

/** A person or Git said wait. What status already asks of the routes is still brought about. */
export const paused: Policy = (seen, now) => {
  const up = climbing(seen);
  if (!up || up.flight.stage === 'Routing' || !(up.spec.paused || seen.status.pausedByAction)) return undefined;
  return {
    ...wait('Paused', up.spec.paused ? 'spec.paused is true' : 'pause was asked'),
    flight: interrupted(up.flight, now),
    phase: 'Paused',
  };
};

/** A spec that cannot be used stops every step up; what was accepted before still guards. */
export const specUnusable: Policy = (seen, now) => {
  const up = climbing(seen);
  const problem = seen.problems.find(({ passing }) => !passing);
  if (!up || !problem || up.flight.stage === 'Routing') return undefined;
  return { ...wait(problem.code, problem.message), flight: interrupted(up.flight, now) };
};

/** No evidence, no provider, or a budget that is being spent: not a step further. */
export const silentOrBad: Policy = (seen, now) => {
  const up = climbing(seen);
  if (!up || !holds(up.flight) || up.flight.fastRevert || passedByPerson(up.flight)) return undefined;
  const { flight } = up;
  const found = evidence(seen.guardrails, flight.hold?.effectiveAt ?? now, now);
  if (found.kind === 'Good' || found.kind === 'Pending') return undefined;
  const waiting = { flight: interrupted(flight, now) };
  if (found.kind === 'Bad')
    return {
      ...wait(found.reason, found.message),
      ...waiting,
      ...(found.reason === 'GuardrailHolds' ? { phase: 'Paused' } : {}),
    };
  if (now < found.until)
    return { ...wait(found.verdict, found.message, found.until), ...waiting, phase: 'AwaitingEvidence' };
  if (found.action === 'RollBack')
    return goBackUnlessNowhere(seen, beginRetreat(seen, flight, found.verdict, found.message, now), now);
  const message = `${found.message}; \`approve\` goes on without evidence, \`abort\` goes back`;
  const told =
    seen.status.phase === 'AwaitingApproval' ? [] : [{ type: 'Warning' as const, reason: found.verdict, message }];
  return { ...wait(found.verdict, message), ...waiting, phase: 'AwaitingApproval', tell: told };
};

const passedByPerson = (flight: InFlight): boolean =>
  flight.approvedStep === flight.step && flight.steps[flight.step]?.approve === undefined;

/** Stages in which the routes must be as status says before anything goes on. */
const routed = new Set<Stage>([
  'TakingRoute',
  'Routing',
  'Holding',
  'Baking',
  'ClearingRules',
  'ReturningRoute',
  'FinishingRoute',
  'RestoringRoute',
]);

/** The routes follow status: the next patch of each, then its taking effect. */
export const routeNotProgrammed: Policy = (seen, now) => {
  const { inFlight: flight, epoch } = seen.status;
  if (!flight || !routed.has(flight.stage)) return undefined;
  const behind = seen.routes.filter(({ progress }) => progress.kind !== 'AtPlan');
  if (behind.length === 0) return undefined;
  const waiting = holds(flight) ? { flight: interrupted(flight, now) } : {};
  const foreign = behind.find(({ foreignManager }) => foreignManager !== undefined);
  const plan = planOf(flight);
  const raises = plan.kind === 'Split' && behind.some(({ canaryBp }) => plan.canaryBp > canaryBp);
  const due =
    behind.some(({ progress }) => progress.kind === 'Due') && (!raises || flight.fastRevert || stableStrong(seen));
  const [first] = behind;
  const refusal = first?.progress.kind === 'Refused' ? first.progress : undefined;
  const lag = first?.progress.kind === 'Waiting' ? first.progress : undefined;
  const reason = foreign ? 'ForeignManager' : (refusal?.code ?? lag?.reason ?? 'RouteChanging');
  const message = foreign
    ? `${foreign.foreignManager} keeps putting back what Sluice writes to HTTPRoute ${foreign.name}; see docs/gitops.md`
    : `HTTPRoute ${first?.name}: ${refusal?.message ?? lag?.message ?? 'is being changed'}`;
  return {
    ...wait(reason, message, lag?.until),
    ...waiting,
    writes: due ? [{ kind: 'Route', plan, epoch }] : [],
    claims: foreign || refusal ? [{ type: 'TrafficProgrammed', status: 'False', reason, message }] : [],
  };
};

/** While someone puts the Service's selector back, clients that pass the gateway by reach both revisions. */
export const serviceUnpinned: Policy = (seen, now) => {
  const up = climbing(seen);
  if (
    !up ||
    up.flight.stage === 'Preparing' ||
    up.flight.stage === 'Routing' ||
    up.flight.fastRevert ||
    !awaitsPin(seen, up.flight)
  )
    return undefined;
  return {
    ...wait('ServiceUnpinned', unpinnedMessage(seen)),
    flight: interrupted(up.flight, now),
    writes: [{ kind: 'PinService', hash: up.flight.stableHash }],
  };
};

/** Stable must be able to take all the traffic back at any moment. */
export const stableBelowStrength: Policy = (seen, now) => {
  const up = climbing(seen);
  if (!up || up.flight.fastRevert || (up.flight.stage !== 'Scaling' && !holds(up.flight)) || stableStrong(seen))
    return undefined;
  if (stableIsDown(seen)) return { ...waitForStable(seen, up.flight), flight: interrupted(up.flight, now) };
  const message = `stable has ${seen.stableSet?.available ?? 0} available pods of ${seen.workload?.replicas ?? 0}`;
  return { ...wait('StableBelowStrength', message), flight: interrupted(up.flight, now) };
};

/** Good time of the step is not complete, or a person is asked. */
export const holdNotOver: Policy = (seen, now) => {
  const up = climbing(seen);
  if (!up || !holds(up.flight)) return undefined;
  const { flight, spec } = up;
  if (flight.fastRevert) return undefined;
  if (
    flight.stage === 'Holding' &&
    (flight.full || (flight.skipTo ?? 0) > flight.step || flight.approvedStep === flight.step)
  )
    return undefined;
  if (flight.steps[flight.step]?.approve)
    return { ...wait('AwaitingApproval', 'a person must approve'), phase: 'AwaitingApproval' };
  const wanted = canarySize(flight, flight.step, seen.workload?.replicas ?? 0);
  if (!canaryAvailable(seen, wanted))
    return {
      ...wait('CanaryNotAvailable', canaryTrouble(seen, wanted)),
      flight: { ...flight, ...restartHold(flight, now) },
    };
  if (passedByPerson(flight)) return undefined; // the bake: all traffic needs all pods, whatever a person said
  const hold: Hold =
    flight.hold?.effectiveAt === undefined ? effectiveFrom(flight.hold, after(now, spec.warmUp)) : flight.hold;
  const warm = waitFor(hold.effectiveAt ?? now, 0 as DurationMs, now, 'WarmingUp', 'the canary warms up');
  if (warm) return { ...warm, flight: { ...flight, hold } };
  return countHold(
    seen,
    { ...flight, hold },
    hold,
    flight.stage === 'Baking' ? spec.bake : ((flight.steps[flight.step]?.hold ?? 0) as DurationMs),
    now,
  );
};

function countHold(seen: Observed, flight: InFlight, hold: Hold, needed: DurationMs, now: EpochMs): Move | undefined {
  const found = evidence(seen.guardrails, hold.effectiveAt ?? now, now);
  if (found.kind === 'Pending') return { ...wait(found.reason, found.message), flight };
  const counted = found.kind === 'Good' ? credit(hold, seen.guardrails, now) : hold;
  const left = missing(counted, needed);
  if (left === 0) return undefined;
  return {
    ...wait(
      'Holding',
      `${formatDuration(counted.doneMs as DurationMs)} of ${formatDuration(needed)} good`,
      after(now, left),
    ),
    flight: { ...flight, hold: counted },
  };
}

const effectiveFrom = (hold: Hold | undefined, at: EpochMs): Hold => ({
  doneMs: hold?.doneMs ?? 0,
  at,
  effectiveAt: at,
});
const restartHold = ({ hold }: InFlight, now: EpochMs) => (hold ? { hold: { doneMs: hold.doneMs, at: now } } : {});

/** The next thing on the way up. Reached only when nothing above had a word to say against it. */
export const nextStep: Policy = (seen, now) => {
  const up = climbing(seen);
  if (!up) return undefined;
  const { flight, spec } = up;
  switch (flight.stage) {
    case 'Scaling':
      return scaleThenAim(seen, flight, now);
    case 'Routing':
      return { reason: 'StepEntered', message: stepName(flight), flight: begun(flight, now) };
    case 'Holding':
      return leaveStep(flight, spec, now);
    case 'Baking':
      return {
        reason: 'Promoting',
        message: `${flight.hash} proved itself at 100 %`,
        flight: enter(cleared(flight), 'ClearingRules', now),
      };
    default:
      return undefined;
  }
};

/** A promotion that was asked for on the way to the bake was no answer to what the bake finds. */
function begun({ approvedStep, ...flight }: InFlight, now: EpochMs): InFlight {
  if (flight.step >= flight.steps.length) return enter(flight, 'Baking', now);
  return enter({ ...flight, ...(approvedStep === undefined ? {} : { approvedStep }) }, 'Holding', now);
}

function leaveStep(flight: InFlight, spec: RolloutSpec, now: EpochMs): Move {
  const step = flight.full ? flight.steps.length : flight.step + 1;
  const { hold, approvedStep: _used, ...kept } = flight;
  const next = { ...kept, step };
  // What was proven at 100 % counts for the bake.
  const alreadyAll = step >= flight.steps.length && flight.weightBp === FULL_WEIGHT_BP;
  const entered = alreadyAll
    ? { ...enter(next, 'Baking', now), ...(hold && spec.bake > 0 ? { hold } : {}) }
    : enter(next, 'Scaling', now);
  return { reason: 'StepDone', message: `${stepName(flight)} is done`, flight: entered };
}

function scaleThenAim(seen: Observed, flight: InFlight, now: EpochMs): Move {
  const wanted = canarySize(flight, flight.step, seen.workload?.replicas ?? 0);
  if (!canaryAvailable(seen, wanted) || seen.services.canary.ready < wanted)
    return wait('CanaryNotAvailable', canaryTrouble(seen, wanted));
  const { lowered, ...kept } = flight;
  const back = lowered
    ? {
        ...kept,
        weightBp: lowered.weightBp,
        ...(lowered.matchStep === undefined ? {} : { matchStep: lowered.matchStep }),
      }
    : kept;
  const aimed = withAims(back, flight.step);
  const raise = isRaise(flight, aimed);
  return {
    reason: raise ? 'Raising' : 'StepEntered',
    message: stepName(aimed),
    flight: enter(aimed, 'Routing', now),
    set: raise ? { epoch: seen.status.epoch + 1 } : {},
    tell: raise ? [{ type: 'Normal', reason: 'Raising', message: stepName(aimed) }] : [],
  };
}

/** No rule of ours is aimed or mirrors, and nothing counts any more. */
export const cleared = ({ matchStep: _match, shadowStep: _shadow, hold: _hold, ...flight }: InFlight): InFlight =>
  flight;

export function canaryTrouble(seen: Observed, wanted: number): string {
  const trouble = seen.canarySet?.trouble ? `: ${seen.canarySet.trouble}` : '';
  return `the canary has ${seen.canarySet?.available ?? 0} available pods of ${wanted}${trouble}`;
}

/** A step in words: `step 3/7, weight 25 %`. */
export function stepName(flight: InFlight): string {
  const step = flight.steps[flight.step];
  const what = step?.shadow
    ? `shadow ${step.shadow.percent} %`
    : step?.match
      ? `match ${step.match.headers.map(({ name }) => name).join(', ')}`
      : step?.approve
        ? 'approve'
        : `weight ${flight.weightBp / 100} %`;
  return flight.step < flight.steps.length
    ? `step ${flight.step + 1}/${flight.steps.length}, ${what}`
    : `all steps, ${what}`;
}
