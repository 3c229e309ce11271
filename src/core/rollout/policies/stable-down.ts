import type { InFlight } from '../../../api/rollout-status.ts';
import { type EpochMs, FULL_WEIGHT_BP } from '../../../base/units.ts';
import { canaryAvailable, canarySize } from '../capacity.ts';
import type { Move, Policy } from '../decision.ts';
import { enter, wait } from '../flight.ts';
import type { Observed } from '../observed.ts';
import { pinnable } from '../pin.ts';
import { leavesStable, stableIsDown, waitForStable } from '../stable-down.ts';
import { canaryTrouble, cleared, climbing } from './advance.ts';

/**
 * Stable serves nobody. A fast revert, or whom a person sent to 100 %, does not wait for it: the user's own Service goes to
 * the canary as soon as this is whole, and the routes, which gateways may not raise now, go back to that Service.
 */
export const stableDown: Policy = (seen, now) => {
  const up = climbing(seen);
  if (!up) return undefined;
  const { flight, spec } = up;
  if (!leavesStable(seen, flight))
    return raiseIsDue(seen, flight) && stableIsDown(seen) ? waitForStable(seen, flight) : undefined;
  if (spec.paused || seen.status.pausedByAction) return undefined;
  const whole = { ...flight, step: flight.steps.length };
  const size = canarySize(whole, whole.step, seen.workload?.replicas ?? 0);
  if (isWhole(seen, flight, size)) return giveAll(seen, whole, now);
  if (flight.stage === 'Preparing' && flight.step === whole.step) return undefined;
  const grows = flight.stage === 'Preparing' || flight.stage === 'Scaling';
  return {
    ...wait('CanaryNotAvailable', canaryTrouble(seen, size)),
    flight: grows ? whole : enter(whole, 'Scaling', now),
  };
};

/** Status asks for more than the routes have. */
const raiseIsDue = ({ routes }: Observed, { stage, weightBp }: InFlight): boolean =>
  stage === 'Routing' && routes.some(({ canaryBp }) => canaryBp < weightBp);

function isWhole(seen: Observed, { hash }: InFlight, size: number): boolean {
  const { canary } = seen.services;
  const listed = canary.aimedAt === hash && canary.listsAll && canary.ready >= size;
  return listed && seen.canarySet?.owner === 'Record' && canaryAvailable(seen, size);
}

function giveAll(seen: Observed, whole: InFlight, now: EpochMs): Move {
  const { lowered: _lowered, ...kept } = cleared(whole);
  const message = `stable ${whole.stableHash} does not serve: everybody goes to ${whole.hash}`;
  return {
    reason: 'LeavingStable',
    message,
    flight: enter({ ...kept, weightBp: FULL_WEIGHT_BP }, pinnable(seen) ? 'PinningCanary' : 'ReturningRoute', now),
    set: { epoch: seen.status.epoch + 1 },
    tell: [{ type: 'Normal', reason: 'LeavingStable', message }],
  };
}
