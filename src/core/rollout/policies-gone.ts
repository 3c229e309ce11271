import type { InFlight } from '../../api/rollout-status.ts';
import type { Move } from './decision.ts';
import { wait } from './flight.ts';
import type { Observed } from './observed.ts';

/**
 * Whether policies of ours may still be attached at the end of a rollout. Detached by word of the status, not by what is
 * seen: one that other Rollouts share is not to be told from theirs.
 */
export const keepsPolicies = (seen: Observed, flight: InFlight): boolean =>
  seen.policiesAttached || (flight.stickiness !== undefined && flight.policiesGone !== true);

/** The last thing that the gateway is asked: no rule of the routes looks at what evaluators say any more. */
export const withoutPolicies = (flight: InFlight): Move => ({
  ...wait('DetachingPolicies', 'the gateway’s policies are detached'),
  writes: [{ kind: 'DetachPolicies' }],
  flight: { ...flight, policiesGone: true },
});
