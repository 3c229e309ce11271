import type { DurationMs, EpochMs } from '../../base/units.ts';
import type { PlanServices, RoutePlan } from '../../core/rollout/route-plan.ts';
import type { GatewayFacts } from './capabilities.ts';
import type { Controllers } from './conditions.ts';
import type { TakenIn } from './taken-in.ts';

/** What the router must know beside the route itself. */
export interface RouteContext {
  readonly plan: RoutePlan;
  readonly services: PlanServices;
  /** metadata.uid of the Rollout. */
  readonly rolloutUid: string;
  /** Names of the other Rollouts of the namespace that have a rollout in flight, by metadata.uid. */
  readonly inFlight: Readonly<Record<string, string>>;
  /** pod-template-hash of the canary. */
  readonly revision: string;
  /** From status; larger than that of every earlier decision to raise. */
  readonly epoch: number;
  /** Time that gateways get to take in a change. */
  readonly settleMs: DurationMs;
  readonly now: EpochMs;
  /** Random, unguessable, at most 4096 characters that may stand in a header. */
  readonly neverValue: string;
  /** One for each parentRef whose gateway is known. */
  readonly gateways: readonly GatewayFacts[];
  readonly controllers: Controllers;
  /** What `sawTakenIn` answered last. */
  readonly takenIn: TakenIn | undefined;
}
