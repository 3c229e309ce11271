import type { CodeInfo } from './code-info.ts';

/** Why units cannot be told apart on the routes of a Rollout. */
export const stickinessCodes = {
  SLUICE_STICKINESS_UNSUPPORTED: {
    retry: 'never',
    fix: 'Attach the HTTPRoute to Gateways of Envoy Gateway alone, or remove spec.traffic.stickiness.',
  },
  SLUICE_STICKINESS_POLICY_TAKEN: {
    retry: 'never',
    fix: 'Add what the message says to that SecurityPolicy, which then stays attached; or give the route to this Rollout alone.',
  },
  SLUICE_STICKINESS_GATEWAY_CHECK: {
    retry: 'never',
    fix: 'Move the route to a listener or Gateway without extAuth, or remove spec.traffic.stickiness: Envoy Gateway runs one external check a route.',
  },
  SLUICE_STICKINESS_CLIENT_POLICY_TAKEN: {
    retry: 'never',
    fix: 'Add what the message says to that ClientTrafficPolicy: nobody outside may say on which revision they are.',
  },
  SLUICE_STICKINESS_NAME_TAKEN: {
    retry: 'never',
    fix: 'Rename or remove the object that the message names: Sluice writes one of that name, and takes none that is not its own.',
  },
  SLUICE_STICKINESS_NOT_ATTACHED: {
    retry: 'backoff',
    fix: 'The message is that of the gateway. Where it misses the Service sluice-evaluator, set evaluator.enabled in the values of the chart.',
  },
} as const satisfies Record<string, CodeInfo>;
