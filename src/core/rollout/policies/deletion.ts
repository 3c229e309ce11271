import type { Move, Policy } from '../decision.ts';
import { beginRetreat, enter, wait } from '../flight.ts';
import type { Observed } from '../observed.ts';
import { tidy } from './template.ts';

/** The Rollout goes: traffic to stable, then everything as its user had it, then the finalizer. */
export const deletion: Policy = (seen, now) => {
  if (!seen.deleting) return undefined;
  if (!seen.finalizer) return wait('Deleted', 'nothing of Sluice is left');
  const { inFlight: flight } = seen.status;
  if (!flight) return letGo(seen);
  if (flight.stage === 'Observing') return { reason: 'Deleted', message: 'the Rollout is deleted', flight: null };
  if (!flight.retreat) return beginRetreat(seen, flight, 'Deleted', 'the Rollout is deleted', now);
  // A retreat towards another template would start again: turn it into one that ends.
  if (flight.retreat.reason !== 'NewTemplate') return undefined;
  return {
    reason: 'Deleted',
    message: 'the Rollout is deleted',
    flight: { ...enter(flight, flight.stage, flight.stageSince), retreat: { ...flight.retreat, reason: 'Deleted' } },
  };
};

function letGo(seen: Observed): Move {
  const { workload, services, recordHash, spec } = seen;
  if (seen.policiesAttached)
    return { ...wait('CleaningUp', 'the gateway’s policies are detached'), writes: [{ kind: 'DetachPolicies' }] };
  if (services.stable.ours || services.canary.ours)
    return { ...wait('CleaningUp', 'helpers are removed'), writes: [{ kind: 'RemoveHelpers' }] };
  if (workload && (workload.marked || workload.gateLabelOurs)) {
    const held = workload.paused && workload.marked;
    const onDelete = held ? (spec?.onDelete ?? 'KeepHeld') : 'KeepHeld';
    const paused = onDelete === 'KeepHeld' ? ('AsIs' as const) : false;
    const message = {
      KeepHeld: 'the Deployment stays paused',
      RestoreStable: 'the Deployment gets the stable template back',
      Release: 'the Deployment updates by itself',
    }[onDelete];
    return {
      ...wait('LettingGo', message),
      writes: [{ kind: 'LetGo', template: onDelete === 'RestoreStable' ? 'Stable' : 'Keep', paused }],
      tell: held ? [{ type: 'Normal', reason: 'LetGo', message }] : [],
    };
  }
  if (workload?.staleNotes)
    return { ...wait('CleaningUp', 'notes on kept sets are removed'), writes: [{ kind: 'CleanSets' }] };
  // The record may hold the template that LetGo restores, so it goes after it.
  if (recordHash !== undefined) return tidy(recordHash);
  return { ...wait('Deleted', 'nothing of Sluice is left'), writes: [{ kind: 'RemoveFinalizer' }] };
}
