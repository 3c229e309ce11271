import type { CodeInfo } from './code-info.ts';

export const routeCodes = {
  SLUICE_ROUTE_KIND: { retry: 'never', fix: 'Name an HTTPRoute of gateway.networking.k8s.io/v1.' },
  SLUICE_ROUTE_NO_RULE: {
    retry: 'never',
    fix: 'Name a route with a rule that sends to the Service with a weight above 0, or another Service.',
  },
  SLUICE_ROUTE_TAKEN: { retry: 'never', fix: 'Remove the other Rollout that steers this route.' },
  SLUICE_ROUTE_BUSY: {
    retry: 'backoff',
    fix: 'Nothing to do: it goes on by itself when the other Rollout is done. To not wait, end that one with `kubectl sluice abort`, or give each Rollout an HTTPRoute of its own.',
  },
  SLUICE_ROUTE_BACKEND_FILTERS: {
    retry: 'never',
    fix: 'Move the filters from backendRefs to the rule, or to a rule of its own: gateways lose requests when weights change beside them.',
  },
  SLUICE_ROUTE_BACKEND_REPEATED: { retry: 'never', fix: 'Name the Service once in each rule.' },
  SLUICE_ROUTE_WEIGHTS: {
    retry: 'never',
    fix: 'Use smaller weights in this rule: up to 100 always works, as the canary’s share is exact to 0.01 %.',
  },
  SLUICE_ROUTE_LIMIT: {
    retry: 'never',
    fix: 'Split the route: Gateway API allows 16 rules, 128 matches, and 16 filters or backends per rule.',
  },
  SLUICE_ROUTE_MATCH_HEADER_USED: {
    retry: 'never',
    fix: 'Use a header in the match step that no rule of the route matches on.',
  },
  SLUICE_ROUTE_RULE_SHADOWED: {
    retry: 'never',
    fix: 'Give the two rules different paths, or move one of them to a route of its own; for a shadow step, listing all methods helps too.',
  },
  SLUICE_ROUTE_MIRROR_METHODS: {
    retry: 'never',
    fix: 'Split the rule so that its matches with a method that is mirrored stand alone.',
  },
  SLUICE_ROUTE_MIRROR_UNSUPPORTED: {
    retry: 'never',
    fix: 'Remove the shadow step, or use a gateway that has HTTPRouteRequestPercentageMirror.',
  },
  SLUICE_ROUTE_METHOD_MATCH_UNSUPPORTED: {
    retry: 'never',
    fix: 'Remove methods from the match step, or use a gateway that has HTTPRouteMethodMatching.',
  },
  SLUICE_ROUTE_RULE_POLICY: {
    retry: 'never',
    fix: 'Attach that policy to the whole HTTPRoute (without sectionName), or give the rule an HTTPRoute of its own: rules that Sluice adds have no name that a policy could be attached to.',
  },
} as const satisfies Record<string, CodeInfo>;
