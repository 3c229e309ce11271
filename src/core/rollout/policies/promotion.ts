import type { InFlight, Promoted } from '../../../api/rollout-status.ts';
import type { EpochMs } from '../../../base/units.ts';
import { canaryAvailable } from '../capacity.ts';
import type { Move, Policy } from '../decision.ts';
import { enter, isFinishing, sameRevision, settleThen, wait, waitFor } from '../flight.ts';
import type { Observed } from '../observed.ts';
import { pinnable, unpinnedMessage } from '../pin.ts';
import { keepsPolicies, withoutPolicies } from '../policies-gone.ts';

/** From 100 % to the hand-over. Everything here can still go back. */
export const promotionSequence: Policy = (seen, now) => {
  const { inFlight: flight } = seen.status;
  if (!flight || flight.retreat || !seen.spec || !seen.workload) return undefined;
  const { services, workload } = seen;
  switch (flight.stage) {
    case 'ClearingRules': {
      if (!canaryAvailable(seen, workload.replicas))
        return { ...wait('CanaryNotAvailable', 'the canary is not at full size'), ...scale(flight, workload.replicas) };
      return {
        reason: 'RulesCleared',
        message: 'only weights are left',
        // Where the Service cannot be pinned, the route goes back only after the old pods are gone.
        flight: enter(flight, pinnable(seen) ? 'PinningCanary' : 'HandingOver', now),
      };
    }
    case 'PinningCanary':
      if (!pinnable(seen))
        return {
          reason: 'ServiceUnpinned',
          message: unpinnedMessage(seen),
          flight: enter(flight, 'HandingOver', now),
        };
      if (services.user.aimedAt !== flight.hash)
        return {
          ...wait('PinningCanary', 'the Service is pinned to the canary'),
          writes: [{ kind: 'PinService', hash: flight.hash }],
        };
      if (!services.user.listsAll || services.user.ready < workload.replicas)
        return wait('EndpointsPending', 'EndpointSlices of the Service do not list every canary pod yet');
      return settleThen(flight, seen.spec.traffic.settle, now, {
        stage: 'ReturningRoute',
        reason: 'ServicePinned',
        message: 'the Service selects the canary',
      });
    case 'ReturningRoute': // the routes are at plan
      return {
        reason: 'RouteReturned',
        message: 'the routes are the user’s own again',
        flight: enter(flight, 'DrainingRoute', now),
      };
    case 'DrainingRoute':
      return (
        waitFor(
          flight.stageSince,
          seen.spec.traffic.drain,
          now,
          'Draining',
          'requests through the helper Services end',
        ) ?? {
          reason: 'Drained',
          message: 'nothing uses the helper Services',
          flight: enter(flight, 'HandingOver', now),
        }
      );
    case 'HandingOver':
      return handOver(seen, flight, now);
    default:
      return undefined;
  }
};

const scale = (flight: InFlight, replicas: number): Pick<Move, 'writes'> => ({
  writes: [{ kind: 'ScaleCanary', hash: flight.hash, replicas }],
});

function handOver(seen: Observed, flight: InFlight, now: EpochMs): Move {
  const { workload, canarySet, services, routes } = seen;
  const replicas = workload?.replicas ?? 0;
  if (canarySet?.desired !== replicas || !canaryAvailable(seen, replicas))
    return { ...wait('CanaryNotAvailable', 'the canary is not at full size'), ...scale(flight, replicas) };
  const back = pinnable(seen) && services.user.aimedAt !== flight.hash;
  if (back)
    return {
      reason: 'ServiceUnpinned',
      message: 'the Service no longer selects the canary alone',
      flight: enter(flight, 'PinningCanary', now),
    };
  if (pinnable(seen) && routes.some(({ usesHelpers }) => usesHelpers))
    return {
      reason: 'RouteTaken',
      message: 'a route uses the helper Services again',
      flight: enter(flight, 'ReturningRoute', now),
    };
  return {
    reason: 'HandingOver',
    message: 'the Deployment takes the canary set as its own',
    writes: [{ kind: 'HandOver', hash: flight.hash }],
  };
}

/** The Deployment is the canary set's controller: there is no way back, only a way to finish. First of all policies. */
export const handOverDone: Policy = (seen, now) => {
  const { inFlight: flight } = seen.status;
  if (!flight || !seen.workload) return undefined;
  if (isFinishing(flight)) return finish(seen, flight, now);
  const done = flight.stage === 'HandingOver' && !flight.retreat && seen.canarySet?.owner === 'Deployment';
  return done
    ? {
        reason: 'HandedOver',
        message: `${flight.hash} is the Deployment’s own`,
        flight: enter(flight, 'Resuming', now),
      }
    : undefined;
};

function finish(seen: Observed, flight: InFlight, now: EpochMs): Move {
  const { workload, canarySet, services, routes } = seen;
  switch (flight.stage) {
    case 'Resuming': {
      // A template pushed after the hand-over stays held: the next rollout starts from here.
      const pushed = workload?.hash !== flight.hash;
      if (!pushed && workload?.paused) {
        const taken = workload.current && workload.updatedReplicas === workload.replicas && canarySet?.numbered;
        if (!taken) return wait('Resuming', 'the Deployment takes in its new set');
        return {
          ...wait('Resuming', 'the Deployment runs free again'),
          writes: [{ kind: 'Resume', hash: flight.hash }],
        };
      }
      return {
        reason: 'Resumed',
        message: 'the Deployment is its user’s again',
        flight: enter(flight, routes.some((r) => r.usesHelpers) ? 'FinishingRoute' : 'Unpinning', now),
      };
    }
    case 'FinishingRoute': // the routes are at plan; old pods had to be gone before they were asked to
      return {
        reason: 'RouteReturned',
        message: 'the routes are the user’s own again',
        flight: enter(flight, 'Unpinning', now),
      };
    case 'Unpinning':
      if (services.user.aimedAt !== undefined)
        return { ...wait('Unpinning', 'the Service gets its own selector back'), writes: [{ kind: 'UnpinService' }] };
      return {
        reason: 'Unpinned',
        message: 'the Service has its own selector',
        flight: enter(flight, 'Cleaning', now),
      };
    default:
      if (routes.some(({ record }) => record !== undefined))
        return { ...wait('Cleaning', 'helpers are removed'), writes: [{ kind: 'DropRecords' }] };
      if (keepsPolicies(seen, flight)) return withoutPolicies(flight);
      if (services.stable.ours || services.canary.ours)
        return { ...wait('Cleaning', 'helpers are removed'), writes: [{ kind: 'RemoveHelpers' }] };
      if (seen.recordHash !== undefined)
        return { ...wait('Cleaning', 'helpers are removed'), writes: [{ kind: 'RemoveRecord' }] };
      return promoted(seen, flight, now);
  }
}

const MOST_REMEMBERED = 10;

function promoted(seen: Observed, flight: InFlight, now: EpochMs): Move {
  const { stable, promoted: before } = seen.status;
  const left: Promoted[] = stable ? [{ ...stable, until: now, leftByFastRevert: flight.fastRevert }] : [];
  const next: Promoted = {
    hash: flight.hash,
    ...(seen.canarySet ? { digest: seen.canarySet.digest } : {}),
    since: now,
    leftByFastRevert: false,
  };
  const others = before.filter((former) => !sameRevision(former, next) && !(stable && sameRevision(former, stable)));
  const message = `${flight.hash} is stable now`;
  return {
    reason: 'Promoted',
    message,
    flight: null,
    phase: 'Healthy',
    set: {
      stable: next,
      promoted: [...left, ...others].slice(0, MOST_REMEMBERED),
    },
    tell: [{ type: 'Normal', reason: 'Promoted', message }],
  };
}
