import type { InFlight } from '../../api/rollout-status.ts';
import type { Move } from './decision.ts';
import { wait } from './flight.ts';
import type { Observed } from './observed.ts';
import { pinnable } from './pin.ts';

/** No pod of stable serves, as far as its set and the slices of `-stable` know. */
export function stableIsDown({ services: { stable }, stableSet }: Observed): boolean {
  const listsNone = stable.ready === 0 && (stable.listsAll || !stable.exists);
  return listsNone && (stableSet?.available ?? 0) === 0;
}

/** Going to the canary needs no step: it was good before, or a person says so. */
const isUrgent = ({ fastRevert, full }: InFlight): boolean => fastRevert || full;

/**
 * Nobody is kept with a stable that does not serve, and what is urgent waits for nothing of it. Users of a fast revert who
 * meet the canary's pods by their own Service keep these, also when pods of stable come and go.
 */
export function leavesStable(seen: Observed, flight: InFlight): boolean {
  if (!isUrgent(flight)) return false;
  const { canarySet, services } = seen;
  const open = pinnable(seen) && services.user.aimedAt !== flight.stableHash;
  const hasPods = canarySet?.owner === 'Record' && canarySet.desired > 0;
  const met = flight.fastRevert && flight.stage === 'Preparing' && hasPods && open;
  return met || stableIsDown(seen);
}

/** There would be nothing to go back to, so only a person may raise now. */
export function waitForStable({ status }: Observed, { hash, stableHash }: InFlight): Move {
  const message =
    `stable ${stableHash} has no ready pod, so nothing more goes to the canary; ` +
    `\`kubectl sluice promote --full\` gives everybody to ${hash} as soon as it runs at full size`;
  const told = status.reason === 'StableDown';
  return {
    ...wait('StableDown', message),
    tell: told ? [] : [{ type: 'Warning', reason: 'StableDown', message }],
  };
}
