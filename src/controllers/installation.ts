/** Names that the chart gives the cluster's objects of an installation. */

/** Lease of the leader, in the namespace of the operator. */
export const LEADER_LEASE = 'sluice-operator';
/** Where evaluators get their rulesets, in the namespace of the operator. */
export const RULESETS_SERVICE = { name: 'sluice-rulesets', port: 8082 } as const;
/** The MutatingWebhookConfiguration. */
export const GATE = 'sluice-gate';
