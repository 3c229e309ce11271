import type { InFlight } from '../../../api/rollout-status.ts';
import { after, type DurationMs } from '../../../base/units.ts';
import { leastServing } from '../capacity.ts';
import type { Move, Policy } from '../decision.ts';
import { beginRetreat, condemnsRevision, enter, isCommitted, isFinishing, wait } from '../flight.ts';
import type { Observed } from '../observed.ts';
import { withoutAims } from '../plan.ts';

/** How often the canary may fail to serve before it is rolled back (docs/rollouts.md, policies). */
const MOST_LOWERINGS = 3;

/** A flight that can still go back, and is not doing so for a reason that condemns the revision. */
function mayCondemn(seen: Observed) {
  const flight = seen.status.inFlight;
  if (!flight || isFinishing(flight) || flight.stage === 'Observing') return undefined;
  return flight.retreat && condemnsRevision(flight.retreat.reason) ? undefined : flight;
}

/** Going back would send everybody to nobody. */
function nowhereToReturn(seen: Observed): boolean {
  return seen.services.stable.exists && seen.services.stable.ready === 0 && seen.services.canary.ready > 0;
}

/** Users are on the canary: by a route, or by their own Service where that does not keep to stable. */
function isReached({ routes, services: { user }, status: { inFlight } }: Observed): boolean {
  return routes.some((route) => route.reachesCanary) || (user.exists && user.aimedAt !== inFlight?.stableHash);
}

export function goBackUnlessNowhere(seen: Observed, retreat: Move, now: number): Move {
  if (!isReached(seen) || !nowhereToReturn(seen)) return retreat;
  const message = `${retreat.message}; stable has no ready pod and the canary has, so traffic stays. \`kubectl sluice abort --force\` overrides`;
  return {
    ...wait('NoStableToReturnTo', message, (now + 1000) as never),
    tell:
      seen.status.reason === 'NoStableToReturnTo' ? [] : [{ type: 'Warning', reason: 'NoStableToReturnTo', message }],
  };
}

/** A person said stop. */
export const abortAsked: Policy = (seen, now) => {
  const { action } = seen;
  if (action?.action !== 'abort' && action?.action !== 'abort-force') return undefined;
  const flight = mayCondemn(seen);
  if (!flight) return undefined;
  const retreat = {
    ...beginRetreat(seen, flight, 'AbortAsked', action.reason ?? 'abort was asked', now),
    by: action.by ?? 'unknown',
  };
  return action.action === 'abort-force' ? retreat : goBackUnlessNowhere(seen, retreat, now);
};

/** The route says that a leader before us rolled this revision back, and status does not know yet. */
export const recordSaysRolledBack: Policy = (seen, now) => {
  const flight = mayCondemn(seen);
  const told =
    flight &&
    seen.routes.some(
      ({ record }) =>
        record?.revision === flight.hash && record.verdict === 'RolledBack' && record.epoch >= seen.status.epoch,
    );
  return told
    ? beginRetreat(seen, flight, 'Breach', 'the route’s record says that this revision was rolled back', now)
    : undefined;
};

/** A guardrail's failure budget is spent. Harm counts whatever the stage, the pause or the hold. */
export const breach: Policy = (seen, now) => {
  const flight = mayCondemn(seen);
  if (!flight) return undefined;
  const broken = seen.guardrails.find(
    ({ rule, status }) => status?.verdict === 'Harm' && rule.guardrail.action === 'RollBack',
  );
  if (!broken?.status) return undefined;
  const message = `guardrail ${broken.rule.guardrail.name}: ${broken.status.message ?? 'out of bounds'}`;
  return goBackUnlessNowhere(seen, beginRetreat(seen, flight, 'Breach', message, now), now);
};

/** The Deployment runs free in the middle: someone took the gate away. Its pods of any revision must be able to serve. */
export const noLongerHeld: Policy = (seen, now) => {
  const flight = seen.status.inFlight;
  if (
    !flight ||
    flight.retreat ||
    isFinishing(flight) ||
    flight.stage === 'Observing' ||
    !seen.workload ||
    seen.workload.paused
  )
    return undefined;
  return beginRetreat(seen, flight, 'GateLost', 'the Deployment is no longer paused: it updates by itself', now);
};

/**
 * Traffic is aimed at pods that cannot take it: lowered at once, raised again when they are ready, rolled back the third
 * time. Comes before everything that waits.
 */
export const canaryCannotServe: Policy = (seen, now) => {
  const flight = seen.status.inFlight;
  if (!flight || flight.retreat || isFinishing(flight)) return undefined;
  const aimed = flight.weightBp > 0 || flight.matchStep !== undefined;
  if (flight.lowered) return lowerAgain(seen, flight);
  if (!aimed) return undefined;
  const wanted = leastServing(seen, flight);
  const lost = seen.routes.some(
    ({ record }) =>
      record?.revision === flight.hash && record.verdict === 'Lowered' && record.epoch >= seen.status.epoch,
  );
  if (seen.services.canary.ready >= wanted && !lost) return undefined;
  const message = `${seen.services.canary.ready} of the canary’s endpoints are ready, at least ${wanted} are needed`;
  const lastTime = flight.loweredCount + 1 >= MOST_LOWERINGS || isCommitted(flight);
  if (lastTime) return goBackUnlessNowhere(seen, beginRetreat(seen, flight, 'CannotServe', message, now), now);
  if (nowhereToReturn(seen)) return goBackUnlessNowhere(seen, { reason: 'CanaryCannotServe', message }, now);
  const match = flight.matchStep === undefined ? {} : { matchStep: flight.matchStep };
  // What was proven or approved was of a canary that served.
  const { hold: _proven, approvedStep: _approved, ...kept } = withoutAims(flight);
  return {
    reason: 'CanaryCannotServe',
    message,
    writes: [{ kind: 'Lower', verdict: 'Lowered' }],
    flight: {
      ...enter(kept, 'Scaling', now),
      lowered: { at: now, weightBp: flight.weightBp, ...match },
      loweredCount: flight.loweredCount + 1,
      unavailableSince: flight.unavailableSince ?? now,
    },
    tell: [{ type: 'Warning', reason: 'CanaryCannotServe', message }],
  };
};

/** What was lowered until pods can serve stays lowered: a raise may have been seen only after that. */
function lowerAgain({ routes }: Observed, { stage }: InFlight): Move | undefined {
  if (stage !== 'Scaling' || !routes.some(({ reachesCanary }) => reachesCanary)) return undefined;
  return {
    ...wait('CanaryCannotServe', 'traffic leaves the canary'),
    writes: [{ kind: 'Lower', verdict: 'Lowered' }],
  };
}

/** The canary does not become available within the progress deadline. */
export const podsFailing: Policy = (seen, now) => {
  const flight = seen.status.inFlight;
  if (!flight || flight.retreat || isFinishing(flight) || flight.unavailableSince === undefined || !seen.spec)
    return undefined;
  const deadline = after(flight.unavailableSince, seen.spec.progressDeadline as DurationMs);
  if (now < deadline) return undefined;
  const trouble = seen.canarySet?.trouble ? `: ${seen.canarySet.trouble}` : '';
  const message = `the canary was not available within the progress deadline${trouble}`;
  return goBackUnlessNowhere(seen, beginRetreat(seen, flight, 'PodsFailing', message, now), now);
};
