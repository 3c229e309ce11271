import { foreignClientTraffic, foreignFor, gatewaysOf } from './foreign.ts';
import type { PerUserContext } from './per-user-context.ts';
import { sectionsHit } from './policy.ts';
import { clientTrafficPolicy, type PolicyManifest, referenceGrant, securityPolicy } from './wanted.ts';

export interface WantedPolicies {
  readonly grant: PolicyManifest;
  readonly security: readonly PolicyManifest[];
  readonly clientTraffic: readonly PolicyManifest[];
}

/**
 * What is ours to write: no policy where somebody else has one with what is needed. The grant always: policies of others need
 * it too, and it tells what this Rollout needs of what is shared.
 */
export function wantedPolicies(context: PerUserContext): WantedPolicies {
  const foreign = foreignClientTraffic(context);
  const gateways = new Map(
    gatewaysOf(context).map(({ gateway }) => [`${gateway.namespace}/${gateway.name}`, gateway] as const),
  );
  return {
    grant: referenceGrant(context, [...gateways.keys()].sort()),
    security: context.routes
      .filter(({ target }) => foreignFor(target, context).length === 0)
      .map(({ target }) => securityPolicy(context, target)),
    clientTraffic: [...gateways.values()]
      .filter((gateway) => !foreign.some((policy) => sectionsHit(policy, gateway).includes(undefined)))
      .map(clientTrafficPolicy),
  };
}
