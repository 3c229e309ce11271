import type { RolloutSpec } from '../../../api/rollout.ts';
import type { InFlight } from '../../../api/rollout-status.ts';
import { after, type EpochMs } from '../../../base/units.ts';
import type { Move, Policy, Write } from '../decision.ts';
import { condemnsRevision, enter, wait, waitFor } from '../flight.ts';
import type { Observed } from '../observed.ts';
import { pinnable } from '../pin.ts';
import { keepsPolicies, withoutPolicies } from '../policies-gone.ts';
import { GATEWAY_PATIENCE_MS } from '../route-plan.ts';
import { begin } from './template.ts';

/** The way back to stable alone: lower, drain, pin, scale down, restore the route, unpin, clean up. */
export const retreatSequence: Policy = (seen, now) => {
  const { inFlight: flight } = seen.status;
  if (!flight?.retreat || !seen.spec) return undefined;
  const { spec, services, canarySet } = seen;
  const next = (stage: InFlight['stage'], message: string): Move => ({
    reason: flight.retreat?.reason ?? 'RollingBack',
    message,
    flight: enter(flight, stage, now),
  });
  // In every stage up to the way of the routes home: what a lowering by a late cache left there is still to be taken.
  if (lowers.has(flight.stage) && seen.routes.some(({ reachesCanary }) => reachesCanary)) {
    const verdict = condemnsRevision(flight.retreat.reason) ? 'RolledBack' : 'Lowered';
    return doing('Lowering', 'traffic leaves the canary', { kind: 'Lower', verdict });
  }
  switch (flight.stage) {
    case 'Lowering':
      return next(served(seen) ? 'Draining' : 'PinningStable', 'no traffic goes to the canary');
    case 'Draining':
      return (
        waitFor(flight.stageSince, spec.traffic.drain, now, 'Draining', 'requests at the canary end') ??
        next('PinningStable', 'the canary is drained')
      );
    case 'PinningStable':
      return pinStable(seen, flight) ?? next('ScalingDown', 'the Service selects stable');
    case 'ScalingDown': {
      const early =
        served(seen) &&
        waitFor(
          flight.retreat.at,
          delayOf(flight, spec),
          now,
          'ScaleDownDelay',
          'canary pods stay for requests in flight',
        );
      if (early) return early;
      const lag = gatewaysBehind(seen, flight, spec, now);
      if (lag) return lag;
      if (canarySet && canarySet.owner === 'Record' && (canarySet.desired > 0 || canarySet.pods > 0))
        return doing(
          'ScalingDown',
          'canary pods go',
          ...(canarySet.desired > 0 ? [{ kind: 'ScaleCanary', hash: flight.hash, replicas: 0 } as const] : []),
        );
      return flight.retreat.reason === 'NewTemplate'
        ? restart(seen, flight, now)
        : next('RestoringRoute', 'the canary is gone');
    }
    case 'RestoringRoute': // the routes are at plan, which is the user's own
      return next('UnpinningStable', 'the routes are the user’s own again');
    case 'UnpinningStable':
      if (services.user.aimedAt !== undefined)
        return doing('Unpinning', 'the Service gets its own selector back', { kind: 'UnpinService' });
      return next('CleaningUp', 'the Service has its own selector');
    default:
      return cleanUp(seen, flight, now);
  }
};

const lowers = new Set<InFlight['stage']>(['Lowering', 'Draining', 'PinningStable', 'ScalingDown']);

/** Only a route that uses the helpers can have sent requests to the canary. */
const served = (seen: Observed): boolean => seen.routes.some(({ usesHelpers }) => usesHelpers);
/** For another template the drain is enough: nobody will look at these pods again. */
const delayOf = (flight: InFlight, spec: RolloutSpec) =>
  flight.retreat?.reason === 'NewTemplate' ? spec.traffic.drain : spec.scaleDownDelay;

const doing = (reason: string, message: string, ...writes: Write[]): Move => ({ ...wait(reason, message), writes });

/**
 * The pods stay until gateways no longer send to them, and what they sent has ended. One that takes nothing in may be gone for
 * good, and does not keep them.
 */
function gatewaysBehind({ routes }: Observed, flight: InFlight, spec: RolloutSpec, now: EpochMs): Move | undefined {
  const patience = after(flight.stageSince, GATEWAY_PATIENCE_MS);
  const lowered = routes.filter(({ record }) => record !== undefined);
  const behind = lowered.find(({ takenInAt }) => takenInAt === undefined);
  if (behind && now < patience) {
    const { reason, message } = behind.notProgrammed ?? { reason: 'NotObserved', message: 'is not taken in yet' };
    return wait(reason, `HTTPRoute ${behind.name}: ${message}`, patience);
  }
  const last = Math.max(0, ...lowered.map(({ takenInAt }) => takenInAt ?? 0));
  const since = Math.min(last, patience) as EpochMs;
  return waitFor(since, spec.traffic.drain, now, 'Draining', 'requests at the canary end');
}

/** Clients that pass the gateway by must reach stable alone before canary pods go. */
function pinStable(seen: Observed, flight: InFlight): Move | undefined {
  const { user } = seen.services;
  if (flight.retreat?.reason === 'GateLost') return loosen(seen, flight);
  if (!pinnable(seen) || !user.exists) return undefined;
  if (user.aimedAt !== flight.stableHash)
    return doing('PinningStable', 'the Service is pinned to stable', { kind: 'PinService', hash: flight.stableHash });
  return user.listsAll
    ? undefined
    : wait('EndpointsPending', 'EndpointSlices of the Service do not list stable’s pods yet');
}

/** The Deployment replaces its pods: whatever serves is right, so neither helper nor Service may name a hash. */
function loosen(seen: Observed, flight: InFlight): Move | undefined {
  const { user, stable } = seen.services;
  if (!user.exists) return undefined;
  if (stable.exists && stable.aimedAt !== undefined)
    return doing('GateLost', '`-stable` selects every pod', {
      kind: 'AimHelpers',
      stableHash: undefined,
      canaryHash: flight.hash,
    });
  if (user.aimedAt !== undefined)
    return doing('GateLost', 'the Service gets its own selector back', { kind: 'UnpinService' });
  return user.ready > 0 ? undefined : wait('EndpointsPending', 'the Service has no ready pod');
}

/** The old canary is gone and nothing routes to it: the next template starts with helpers and route as they are. */
function restart(seen: Observed, flight: InFlight, now: EpochMs): Move {
  const { workload, status } = seen;
  // A set that was taken over is the Deployment's own again, and stays.
  if (seen.canarySet?.owner === 'Record')
    return doing('Restarting', 'the old canary goes', { kind: 'RemoveCanary', hash: flight.hash });
  if (seen.recordHash !== undefined) return doing('Restarting', 'the old record goes', { kind: 'RemoveRecord' });
  const another = workload?.paused && workload.replicas > 0 && workload.hash !== status.stable?.hash && !seen.deleting;
  if (another) return begin(seen, workload, now);
  const retreat = { reason: 'StableReturned' as const, message: 'no other template is left to roll out', at: now };
  return {
    reason: 'Restarting',
    message: retreat.message,
    flight: { ...enter(flight, 'RestoringRoute', now), retreat },
  };
}

function cleanUp(seen: Observed, flight: InFlight, _now: EpochMs): Move {
  const { services, canarySet, workload } = seen;
  const reason = flight.retreat?.reason ?? 'Breach';
  const message = flight.retreat?.message ?? '';
  if (seen.routes.some(({ record }) => record !== undefined))
    return doing('CleaningUp', 'the routes’ records are removed', { kind: 'DropRecords' });
  if (keepsPolicies(seen, flight)) return withoutPolicies(flight);
  if (services.stable.ours || services.canary.ours)
    return doing('CleaningUp', 'helpers are removed', { kind: 'RemoveHelpers' });
  const condemned = condemnsRevision(reason);
  // A kept set that was taken over stays ours, at 0, while the held template equals it; else the Deployment would scale it up.
  if (canarySet?.owner === 'Record' && !(condemned && flight.takenOver))
    return doing('CleaningUp', 'the canary set goes', { kind: 'RemoveCanary', hash: flight.hash });
  if (condemned)
    return ended(reason, message, {
      phase: 'RolledBack',
      tell: [{ type: 'Warning', reason: 'RolledBack', message: `${flight.hash}: ${message}` }],
    });
  // While the Deployment is held after a rollback, the record keeps the stable template; here nobody needs it any more.
  if (seen.recordHash !== undefined) return doing('CleaningUp', 'the record goes', { kind: 'RemoveRecord' });
  if (reason === 'Released')
    return ended(reason, message, {
      phase: 'Initializing',
      set: { stable: undefined },
      writes: [{ kind: 'LetGo', template: 'Keep', paused: false }],
    });
  // A marker that outlives the hold would make the user's next own pause look like ours.
  if (reason === 'GateLost' && workload?.marked && !workload.paused)
    return doing('CleaningUp', 'the marker goes', { kind: 'Resume', hash: workload.hash });
  if (reason === 'GateLost') return ended(reason, message, { phase: 'Initializing', set: { stable: undefined } });
  return ended(reason, message, { phase: 'Healthy' });
}

const ended = (reason: string, message: string, rest: Partial<Move>): Move => ({
  reason,
  message,
  flight: null,
  tell: [{ type: 'Normal', reason: 'WentBack', message }],
  ...rest,
});
