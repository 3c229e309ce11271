/** API group and version of all resources of Sluice. */
export const GROUP = 'sluice.dev';
export const VERSION = 'v1alpha1';

/** Label on a Deployment whose template changes are held; the webhook's selector. */
export const GATE_LABEL = 'sluice.dev/gate';
export const GATE_ENABLED = 'enabled';
/** Annotation on a Deployment that Sluice, not its user, paused: the Rollout's name. */
export const HELD_BY_ANNOTATION = 'sluice.dev/held-by';
/** Annotation on a route that Sluice is steering: the record of docs/rollouts.md. */
export const PLAN_ANNOTATION = 'sluice.dev/plan';
/** Label that Deployments put on their pods and ReplicaSets, and Sluice on its canary's. */
export const HASH_LABEL = 'pod-template-hash';
/** Label on every object that Sluice makes: name of the Rollout. */
export const ROLLOUT_LABEL = 'sluice.dev/rollout';
export const FINALIZER = 'sluice.dev/rollout';
export const FIELD_MANAGER = 'sluice';

/** Label on a pod template: its pods want an evaluator beside them. The webhook's selector. */
export const INJECT_LABEL = 'sluice.dev/inject';
export const INJECT_ENABLED = 'true';
/** Label on a pod that the webhook gave one; who counts pods without one selects by its absence. */
export const INJECTED_LABEL = 'sluice.dev/injected';
