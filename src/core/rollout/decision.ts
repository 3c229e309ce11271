import type { ConditionClaim } from '../../api/condition.ts';
import type { InFlight, Phase, RolloutStatus } from '../../api/rollout-status.ts';
import type { EpochMs } from '../../base/units.ts';
import type { Observed } from './observed.ts';
import type { PlanRecord, RoutePlan } from './route-plan.ts';

/** One write to the cluster. Each is safe to do twice and touches only what Sluice owns. */
export type Write =
  | { readonly kind: 'AddFinalizer' }
  | { readonly kind: 'RemoveFinalizer' }
  | { readonly kind: 'AddGateLabel' }
  /** The internal ControllerRevision: owner of the canary set, holder of the stable template. */
  | { readonly kind: 'MakeRecord'; readonly hash: string; readonly stableHash: string }
  | { readonly kind: 'RemoveRecord' }
  | { readonly kind: 'PinService'; readonly hash: string }
  | { readonly kind: 'UnpinService' }
  /** `-stable` and `-canary`; without a stable hash `-stable` selects like the user's own Service. */
  | { readonly kind: 'AimHelpers'; readonly stableHash: string | undefined; readonly canaryHash: string }
  | { readonly kind: 'RemoveHelpers' }
  /** Make, take over or scale the canary set. */
  | { readonly kind: 'ScaleCanary'; readonly hash: string; readonly replicas: number }
  /** Delete it, or hand a taken-over one back to the Deployment at 0. */
  | { readonly kind: 'RemoveCanary'; readonly hash: string }
  /** Scale stable's set to the Deployment's size; where it is gone, make it again from the recorded template with the Deployment as controller. */
  | { readonly kind: 'RemakeStable'; readonly hash: string }
  /** Take notes off the Deployment's own sets that it no longer carries itself: an undo would bring them back. */
  | { readonly kind: 'CleanSets' }
  /** The safety write: all routes, in parallel, before anything else. */
  | { readonly kind: 'Lower'; readonly verdict: Exclude<PlanRecord['verdict'], 'Go'> }
  /** The next patch of each route that is due towards the plan. */
  | { readonly kind: 'Route'; readonly plan: RoutePlan; readonly epoch: number }
  /** The gateway's policies that let evaluators tell units apart; what is there already stays. */
  | { readonly kind: 'AttachPolicies' }
  /** All of them that are ours, but what other Rollouts need. */
  | { readonly kind: 'DetachPolicies' }
  /** Take the record off the routes; only after status holds what it says. */
  | { readonly kind: 'DropRecords' }
  /** The point of no return: fresh reads of everything, then the Deployment becomes the set's controller. */
  | { readonly kind: 'HandOver'; readonly hash: string }
  /** paused: false and the marker gone, in one write that names the resourceVersion which was judged. */
  | { readonly kind: 'Resume'; readonly hash: string }
  /** Marker and our gate label gone; `template` says what becomes of the template, `paused` of the pause. */
  | { readonly kind: 'LetGo'; readonly template: 'Keep' | 'Stable'; readonly paused: boolean | 'AsIs' };

/** Something to tell, after the write that makes it true. */
export interface Told {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** What a policy answers. What it leaves out stays as it is. */
export interface Move {
  /** One word of a closed set; shown as REASON. */
  readonly reason: string;
  readonly message: string;
  readonly writes?: readonly Write[];
  /** The next rollout in flight; null ends it. */
  readonly flight?: InFlight | null;
  readonly phase?: Phase;
  readonly set?: Partial<RolloutStatus>;
  readonly claims?: readonly ConditionClaim[];
  readonly tell?: readonly Told[];
  readonly recheckAt?: EpochMs;
  /** Who asked, where a person did; the action counts as done. */
  readonly by?: string;
}

/** Says what to do, or undefined for "not mine, ask the next one". Silent, pure and total. */
export type Policy = (seen: Observed, now: EpochMs) => Move | undefined;

/**
 * What to do now. `writes` go first, in order, and `status` after them, so that status never claims what is not so; a raise
 * is safe the same way because it takes two decisions: one that only writes status, and one that then moves the route.
 */
export interface Decision {
  readonly policy: string;
  readonly reason: string;
  readonly message: string;
  readonly writes: readonly Write[];
  readonly status: RolloutStatus;
  readonly tell: readonly Told[];
  readonly recheckAt?: EpochMs;
}
