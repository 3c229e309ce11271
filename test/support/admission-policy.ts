import { kubectl } from './cluster.ts';
import type { Shop } from './rollout-scenario.ts';

export interface Refusal {
  /** Of the shop's namespace, such as `services` or `rollouts/status`. */
  readonly resource: string;
  readonly apiGroup?: string;
  readonly apiVersion: string;
  /** CEL over `object` and `oldObject`: what is still let through. Default: nothing. */
  readonly unless?: string;
  /** Arguments of a `kubectl` that must be refused; it is run dry to see that the policy is in force. */
  readonly probe: readonly string[];
}

/**
 * The cluster's administrator refuses updates of a resource in the shop's namespace. Answers when that is in force, with
 * what lifts it; the end of the test lifts it too.
 */
export async function refuseUpdates(shop: Shop, refusal: Refusal): Promise<() => Promise<void>> {
  const { namespace } = shop;
  const { resource, apiGroup = '', apiVersion, unless = 'false', probe } = refusal;
  const name = `refuse-${resource.replace('/', '-')}-${namespace}`;
  const rule = { apiGroups: [apiGroup], apiVersions: [apiVersion], operations: ['UPDATE'], resources: [resource] };
  const there = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
  const kind = (kind: string, spec: object) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name },
    spec,
  });
  const lift = async () => {
    const both = [`validatingadmissionpolicy/${name}`, `validatingadmissionpolicybinding/${name}`];
    await kubectl(['delete', '--ignore-not-found', ...both]);
  };
  shop.atEnd(lift);
  await shop.apply(
    kind('ValidatingAdmissionPolicy', {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: unless, message: `the platform team keeps ${resource}` }],
    }),
    kind('ValidatingAdmissionPolicyBinding', {
      policyName: name,
      validationActions: ['Deny'],
      matchResources: there,
    }),
  );
  await shop.eventually(`${name} in force`, async () =>
    shop.kubectl(...probe, '--dry-run=server').then(
      () => false,
      (error: unknown) => String(error).includes('the platform team keeps'),
    ),
  );
  return lift;
}
