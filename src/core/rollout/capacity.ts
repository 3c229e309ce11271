import type { InFlight } from '../../api/rollout-status.ts';
import { FULL_WEIGHT_BP } from '../../base/units.ts';
import type { Observed } from './observed.ts';
import { toBp } from './plan.ts';

/**
 * Pods that the canary needs for the larger of what it serves and what `step` will ask: max(ceil(share × replicas),
 * min(2, replicas)). A mirrored share loads it as much as a served one.
 */
export function canarySize(flight: InFlight, step: number, replicas: number): number {
  const entered = flight.steps[step];
  const past = step >= flight.steps.length || flight.fastRevert;
  const shareBp = past
    ? FULL_WEIGHT_BP
    : Math.max(flight.weightBp, toBp(entered?.weight ?? 0), toBp(entered?.shadow?.percent ?? 0));
  return Math.max(Math.ceil((shareBp * replicas) / FULL_WEIGHT_BP), Math.min(2, replicas));
}

/**
 * Fewest ready endpoints with which the canary may keep its traffic: half of those that it had, rounded up (our choice). Pods that a step
 * or an autoscaler has just asked for do not count: they start, and those before still serve.
 */
export function leastServing({ canarySet, workload }: Observed, { servedBy }: InFlight): number {
  const desired = Math.min(canarySet?.desired ?? 0, workload?.replicas ?? 0);
  return Math.max(1, Math.ceil(Math.min(desired, servedBy ?? desired) / 2));
}

/** The flight, which notes how many serve whenever the canary is complete. */
export function served(flight: InFlight, { canarySet, services }: Observed): InFlight {
  const isComplete = canarySet !== undefined && canarySet.desired > 0 && services.canary.ready >= canarySet.desired;
  return isComplete ? { ...flight, servedBy: canarySet.desired } : flight;
}

/** Every pod that the canary shall have is there and has been ready for minReadySeconds. */
export function canaryAvailable(seen: Observed, wanted: number): boolean {
  const set = seen.canarySet;
  return set !== undefined && set.desired >= wanted && set.available >= wanted;
}

/** Stable could take all the traffic back. */
export function stableStrong(seen: Observed): boolean {
  return (seen.stableSet?.available ?? 0) >= (seen.workload?.replicas ?? 0);
}
