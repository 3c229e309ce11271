import type { Step } from '../../api/rollout.ts';
import type { DurationMs, EpochMs, WeightBp } from '../../base/units.ts';

/**
 * How long what goes back waits, at each of two places, for a gateway that takes nothing in: it may be gone for good
 * (docs/decisions/0245). Twice this, with the rest of the way back, is less than the chart's uninstall waits.
 */
export const GATEWAY_PATIENCE_MS = 60_000 as DurationMs;

/** Requests that go to the canary whatever the weight. */
export type Match = NonNullable<Step['match']>;
/** Requests that the canary gets a copy of. */
export type Shadow = NonNullable<Step['shadow']>;

/** Requests of units that an evaluator calls canary: a rule beside the match rule. */
export interface PerUser {
  readonly match: Match;
  /** It was appended before the match rule. */
  readonly isFirst: boolean;
}

/** What the routes of a Rollout shall do; the neutral model between decisions and a router's objects. */
export type RoutePlan =
  /** As before the rollout: the user's own Service alone. */
  | { readonly kind: 'Original' }
  /** The two helper Services; every other backend keeps its share. */
  | {
      readonly kind: 'Split';
      readonly canaryBp: WeightBp;
      readonly match?: Match;
      readonly perUser?: PerUser;
      readonly shadow?: Shadow;
    };

/** The three Services that a plan speaks of; all in the Rollout's namespace, with the same ports. */
export interface PlanServices {
  readonly user: string;
  readonly stable: string;
  readonly canary: string;
}

/**
 * What a route carries while Sluice steers it. `decide` reads it before status, so that after a crash nobody raises what
 * was rolled back. It stays until status holds the same.
 */
export interface PlanRecord {
  /** metadata.uid of the Rollout. */
  readonly rollout: string;
  /** pod-template-hash of the canary. */
  readonly revision: string;
  readonly epoch: number;
  /** `Lowered`: taken from a canary that cannot serve just now; a higher epoch may raise it again. */
  readonly verdict: 'Go' | 'Lowered' | 'RolledBack';
  /** When Sluice last changed the route. Settle times are counted from here, so they survive a crash. */
  readonly changedAt: EpochMs;
}

/** How far one route is from a plan. */
export type RouteProgress =
  /** Its rules are the plan's, and the gateways have taken them in. */
  | { readonly kind: 'AtPlan' }
  /** A patch is due now. */
  | { readonly kind: 'Due' }
  /** The last patch must take effect first: conditions at this generation, then the settle time. */
  | { readonly kind: 'Waiting'; readonly until?: EpochMs; readonly reason: string; readonly message: string }
  /** The route cannot carry the plan; only a person can change that, unless it is steered by another Rollout now. */
  | { readonly kind: 'Refused'; readonly code: string; readonly message: string };

/** One route as read, compared with the plan that status asks for. */
export interface RouteSeen {
  readonly name: string;
  readonly record?: PlanRecord;
  /** Largest weight of the canary in any rule that is ours. */
  readonly canaryBp: WeightBp;
  /** A weight above 0, an aimed match rule or a mirror. */
  readonly reachesCanary: boolean;
  /** Some rule sends to `-stable` or `-canary`. */
  readonly usesHelpers: boolean;
  readonly progress: RouteProgress;
  /** When the gateways were first seen to have judged what Sluice wrote last, whatever they found. A new leader sees it anew. */
  readonly takenInAt?: EpochMs;
  /** The gateway has taken in this generation: Accepted, ResolvedRefs, and BackendsAvailable where it has that. */
  readonly programmed: boolean;
  readonly notProgrammed?: { readonly reason: string; readonly message: string };
  /** Set when another manager reverted our paths twice within 60 s. */
  readonly foreignManager?: string;
}
