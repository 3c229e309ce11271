import type { InFlight } from '../../api/rollout-status.ts';
import type { EpochMs } from '../../base/units.ts';
import { canaryAvailable, canarySize } from './capacity.ts';
import type { Write } from './decision.ts';
import { isFinishing } from './flight.ts';
import type { Observed } from './observed.ts';
import { awaitsPin } from './pin.ts';

/**
 * What goes on whatever the policies say: the canary follows the size of the Deployment, and stable's set is made or
 * scaled up again where the Deployment lost it at 0 replicas: while paused, a Deployment scales its newest set, not stable.
 * A Rollout that is deleted does that too, for it may leave the Deployment paused. A helper that somebody deleted is made
 * again, also on the way back.
 */
export function maintenance(seen: Observed, flight: InFlight | undefined): Write[] {
  const { workload, stableSet, canarySet, status } = seen;
  if (!workload) return [];
  const clean: Write[] = workload.staleNotes && !seen.deleting ? [{ kind: 'CleanSets' }] : [];
  // After the hand-over the Deployment itself takes the pods of what was stable away; in the last pass of all it is stable only by what was seen.
  const isHandedOver = [flight, status.inFlight].some((one) => one && isFinishing(one));
  const held = workload.paused && workload.marked && status.stable !== undefined && !isHandedOver;
  const lost = !stableSet ? seen.recordHash !== undefined : stableSet.desired === 0;
  const remake: Write[] =
    held && workload.replicas > 0 && lost ? [{ kind: 'RemakeStable', hash: status.stable?.hash ?? '' }] : [];
  const all = [...clean, ...remake, ...lostHelpers(seen, flight)];
  if (!flight || !keepsSize(flight) || canarySet?.owner !== 'Record') return all;
  const size = canarySize(flight, flight.step, workload.replicas);
  // An External metric of type Value multiplies by pods: following it upwards would feed itself. A step still gets its size.
  const follows =
    size !== canarySet.desired &&
    !(seen.autoscalerMultiplies && size > canarySet.desired && flight.stage !== 'Scaling');
  return follows ? [...all, { kind: 'ScaleCanary', hash: flight.hash, replicas: size }] : all;
}

/** Both, where a route names one that is not there, or is about to. A selector changes only while nothing routes to it. */
function lostHelpers({ routes, services: { stable, canary } }: Observed, flight: InFlight | undefined): Write[] {
  if (!flight || (stable.exists && canary.exists) || cleans.has(flight.stage)) return [];
  if ([stable, canary].some(({ exists, ours }) => exists && !ours)) return [];
  const named = flight.stage === 'SettlingEndpoints' || routes.some(({ usesHelpers }) => usesHelpers);
  const reached = routes.some(({ reachesCanary }) => reachesCanary);
  if (!named || (reached && canary.exists && canary.aimedAt !== flight.hash)) return [];
  // Without the gate nobody knows what the Deployment's pods are.
  const stableHash = flight.retreat?.reason === 'GateLost' ? undefined : flight.stableHash;
  return [{ kind: 'AimHelpers', stableHash, canaryHash: flight.hash }];
}

/** Stages that take the helpers away. */
const cleans = new Set<InFlight['stage']>(['Cleaning', 'CleaningUp']);

const keepsSize = (flight: InFlight): boolean =>
  !flight.retreat && !isFinishing(flight) && flight.stage !== 'Preparing' && flight.stage !== 'Observing';

/** Who waits for a person, or for somebody to let the Service go, does not have pods made: that is no fault of theirs. */
function isHeldUp(seen: Observed, flight: InFlight): boolean {
  const { spec, status, problems, services } = seen;
  if (spec?.paused || status.pausedByAction || problems.some(({ passing }) => !passing)) return true;
  return flight.stage === 'Preparing' && services.user.contested !== undefined && awaitsPin(seen, flight);
}

/** The flight with the clock of the progress deadline: it runs while the canary lacks pods, and only then. */
export function withDeadline(seen: Observed, flight: InFlight, now: EpochMs): InFlight {
  if (
    flight.retreat ||
    isFinishing(flight) ||
    flight.stage === 'Observing' ||
    !seen.workload ||
    seen.workload.replicas === 0
  )
    return flight;
  const available = canaryAvailable(seen, canarySize(flight, flight.step, seen.workload.replicas));
  const { unavailableSince, ...kept } = flight;
  if (available || isHeldUp(seen, flight)) return kept;
  return { ...kept, unavailableSince: unavailableSince ?? now };
}
