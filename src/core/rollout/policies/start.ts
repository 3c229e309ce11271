import type { InFlight } from '../../../api/rollout-status.ts';
import type { EpochMs } from '../../../base/units.ts';
import { canaryAvailable, canarySize } from '../capacity.ts';
import type { Move, Policy } from '../decision.ts';
import { enter, isFinishing, settleThen, wait } from '../flight.ts';
import type { Observed } from '../observed.ts';
import { unpinnedMessage } from '../pin.ts';
import { leavesStable, stableIsDown, waitForStable } from '../stable-down.ts';
import { canaryTrouble } from './advance.ts';

/**
 * The way to the first step, so that no request is lost: each stage waits until the one before is seen to have taken
 * effect (docs/rollouts.md, order of writes).
 */
export const startSequence: Policy = (seen, now) => {
  const { inFlight: flight } = seen.status;
  if (!flight || flight.retreat || isFinishing(flight) || !seen.spec || !seen.workload) return undefined;
  switch (flight.stage) {
    case 'Preparing':
      return prepare(seen, flight, now);
    case 'SettlingEndpoints':
      return settleThen(flight, seen.spec.traffic.settle, now, {
        stage: 'TakingRoute',
        reason: 'TakingRoute',
        message: 'the routes go to the helper Services, all to stable',
      });
    case 'TakingRoute': // the routes are at plan, else routeNotProgrammed had spoken
      return { reason: 'RouteTaken', message: 'the routes send all to stable', flight: enter(flight, 'Scaling', now) };
    default:
      return undefined;
  }
};

function prepare(seen: Observed, flight: InFlight, now: EpochMs): Move {
  const { services, canarySet, workload } = seen;
  const { hash, stableHash } = flight;
  const pins = seen.spec?.traffic.pinService === true;
  const size = canarySize(flight, flight.step, workload?.replicas ?? 0);
  if (seen.recordHash !== hash)
    return act('Preparing', 'the record of the rollout is made', { kind: 'MakeRecord', hash, stableHash });
  const leaves = leavesStable(seen, flight);
  if (
    pins &&
    !leaves &&
    services.user.aimedAt !== stableHash &&
    !(services.user.contested && seen.spec?.traffic.onUnpinned === 'Continue')
  )
    return act(
      services.user.contested ? 'ServiceUnpinned' : 'Preparing',
      services.user.contested ? unpinnedMessage(seen) : 'the Service is pinned to stable',
      { kind: 'PinService', hash: stableHash },
    );
  if (pins && leaves && services.user.aimedAt === stableHash && !services.user.contested)
    return act('Preparing', 'stable has no ready pod: the Service takes every ready one', { kind: 'UnpinService' });
  // A selector changes only while nothing routes to it.
  if (services.stable.aimedAt !== stableHash || services.canary.aimedAt !== hash) {
    if (seen.routes.some((route) => route.reachesCanary))
      return act('Preparing', 'traffic leaves the old canary', { kind: 'Lower', verdict: 'Lowered' });
    return act('Preparing', 'the helper Services are made', { kind: 'AimHelpers', stableHash, canaryHash: hash });
  }
  if (canarySet?.owner !== 'Record' || canarySet.desired < size)
    return act('Preparing', 'the canary is made', { kind: 'ScaleCanary', hash, replicas: size });
  if (!canaryAvailable(seen, size)) return wait('CanaryNotAvailable', canaryTrouble(seen, size));
  if (!services.canary.listsAll || services.canary.ready < size)
    return wait('EndpointsPending', 'EndpointSlices do not list every canary pod yet');
  if (stableIsDown(seen)) return waitForStable(seen, flight);
  if (!services.stable.listsAll || services.stable.ready === 0)
    return wait('EndpointsPending', 'EndpointSlices do not list every stable pod yet');
  return { reason: 'Prepared', message: 'the canary is available', flight: enter(flight, 'SettlingEndpoints', now) };
}

const act = (reason: string, message: string, write: NonNullable<Move['writes']>[number]): Move => ({
  reason,
  message,
  writes: [write],
});
