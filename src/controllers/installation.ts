/** Names that the chart gives the cluster's objects of an installation. */

/** Lease of the leader, in the namespace of the operator. */
export const LEADER_LEASE = 'sluice-operator';
/** The MutatingWebhookConfiguration. */
export const GATE = 'sluice-gate';
