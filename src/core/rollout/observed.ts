import type { Action } from '../../api/action.ts';
import type { RolloutSpec } from '../../api/rollout.ts';
import type { RolloutStatus } from '../../api/rollout-status.ts';
import type { DurationMs } from '../../base/units.ts';
import type { JudgedGuardrail } from '../guardrails/judge.ts';
import type { RouteSeen } from './route-plan.ts';
import type { StickySeen } from './sticky-seen.ts';

/** A ReplicaSet of the workload. */
export interface PodSet {
  readonly name: string;
  /** pod-template-hash. */
  readonly hash: string;
  /** Of its template, the same for equal templates whatever the hash. */
  readonly digest: string;
  /** spec.replicas. */
  readonly desired: number;
  /** Pods that exist, terminating ones too. */
  readonly pods: number;
  readonly available: number;
  /** Its controller: the Deployment, our ControllerRevision, or something else. */
  readonly owner: 'Deployment' | 'Record' | 'Other';
  /** Carries `deployment.kubernetes.io/revision`: the Deployment has taken it as one of its own. */
  readonly numbered: boolean;
  /** Why pods do not come up: unschedulable, image, quota, crash. In a sentence. */
  readonly trouble?: string;
}

/** The Deployment, as far as decisions look at it. */
export interface WorkloadSeen {
  readonly generation: number;
  /** status.observedGeneration = metadata.generation. */
  readonly current: boolean;
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly availableReplicas: number;
  /** Pods of all its own sets. */
  readonly totalReplicas: number;
  readonly paused: boolean;
  /** The held-by marker names this Rollout. */
  readonly marked: boolean;
  readonly gateLabel: boolean;
  /** Sluice set that label, not the user's manifest, and no other Rollout needs it. */
  readonly gateLabelOurs: boolean;
  /** pod-template-hash of its present template: of the set with an equal template, else computed. */
  readonly hash: string;
  /** Of the template, as for sets: a set that is gone has taken its hash along. */
  readonly digest: string;
  /** A set that it made itself has an equal template and is not the stable one: it must be taken over, or was. */
  readonly keepsSet: boolean;
  /** Own sets carry notes of ours that the Deployment no longer has: its controller copies annotations and never removes one. */
  readonly staleNotes: boolean;
}

/** A Service and its EndpointSlices. */
export interface ServiceSeen {
  readonly exists: boolean;
  /** pod-template-hash in its selector. */
  readonly aimedAt?: string;
  /** Ready endpoints. */
  readonly ready: number;
  /** The slices list every ready pod of the set that it is aimed at, and no other. */
  readonly listsAll: boolean;
}

/** `-stable` or `-canary`. */
interface HelperSeen extends ServiceSeen {
  /** Made for this Rollout, so that it may be removed with it. */
  readonly ours: boolean;
}

/** Why the user's Service cannot be kept pinned. */
export interface Contest {
  readonly reason: 'Reverted' | 'Refused';
  readonly message: string;
}

export interface ServicesSeen {
  readonly user: ServiceSeen & {
    /** Others decide what it selects, whether our pin stands at this very moment or not. */
    readonly contested?: Contest;
  };
  readonly stable: HelperSeen;
  readonly canary: HelperSeen;
}

/** Why a spec cannot be used as it is, or what it refers to is missing. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  /** It ends by itself: nothing begins until then, but the spec is accepted, and what is in flight is not stopped by it. */
  readonly passing?: true;
}

/** All that one decision may look at. Gathered before, from caches; never fetched during. */
export interface Observed {
  readonly generation: number;
  readonly deleting: boolean;
  readonly finalizer: boolean;
  /**
   * The spec, or the last accepted one where the present one is invalid; undefined where there never was one. While a rollout
   * is in flight, with the router that it froze.
   */
  readonly spec: RolloutSpec | undefined;
  readonly problems: readonly Problem[];
  readonly status: RolloutStatus;
  /** Asked and not consumed yet. */
  readonly action?: Action;
  readonly workload?: WorkloadSeen;
  readonly stableSet?: PodSet;
  readonly canarySet?: PodSet;
  /** The canary's hash that our ControllerRevision is for, where there is one. */
  readonly recordHash?: string;
  readonly services: ServicesSeen;
  readonly routes: readonly RouteSeen[];
  /** Where the spec asks for stickiness, or the rollout in flight has it. */
  readonly sticky?: StickySeen;
  /** Policies of ours for stickiness are attached to the gateway or the routes. */
  readonly policiesAttached: boolean;
  /** Those that are watched now: none before anybody reaches the canary, and none once traffic went back. */
  readonly guardrails: readonly JudgedGuardrail[];
  /** The longest time that one answer covers, of all guardrails, watched or not; 0 without any. */
  readonly longestWindowMs: DurationMs;
  /** An HPA with an External metric of type Value, which multiplies by pods: the canary must not follow upwards. */
  readonly autoscalerMultiplies: boolean;
}
