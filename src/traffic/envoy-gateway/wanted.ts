import { ROLLOUT_LABEL } from '../../api/names.ts';
import { fnv1a } from '../../core/evaluation/fnv1a.ts';
import { contextExtensions, EVALUATOR_HEADERS, headersAsked } from '../../core/rollout/sticky.ts';
import type { PerUserContext } from './per-user-context.ts';
import type { EnvoyPolicy, Target } from './policy.ts';

/** Service of the standalone evaluator, and its port for checks of the gateway. */
const EVALUATOR = 'sluice-evaluator';
const CHECK_PORT = 8018;
/** How long a request waits for an answer before it goes to stable. */
const TIMEOUT = '100ms';

/** One of several evaluators that is dead is left out after its first errors, and never more than half of them. */
const PASSIVE_HEALTH = { consecutive5XxErrors: 3, interval: '1s', baseEjectionTime: '5s', maxEjectionPercent: 50 };

export const MANAGED_LABEL = 'app.kubernetes.io/managed-by';
/** On a grant: the Gateways (`namespace/name`, by commas) whose ClientTrafficPolicy its Rollout needs. */
export const GATEWAYS_ANNOTATION = 'sluice.dev/gateways';

const GROUP = 'gateway.networking.k8s.io';
const MAX_NAME_CHARS = 253;

/** A manifest with the fields that are ours. */
export type PolicyManifest = EnvoyPolicy & { readonly apiVersion: string; readonly kind: string };

export const isOurs = ({ metadata }: EnvoyPolicy): boolean => metadata.labels?.[MANAGED_LABEL] === 'sluice';

/** What a SecurityPolicy for this Rollout says beside its target: also what a policy of somebody else must say. */
export function checkStanza({ rollout, stickiness, operatorNamespace }: PerUserContext) {
  return {
    failOpen: true,
    recomputeRoute: true,
    timeout: TIMEOUT,
    headersToExtAuth: headersAsked(stickiness),
    contextExtensions: contextExtensions(rollout, stickiness).map((one) => ({ ...one, type: 'Value' })),
    grpc: {
      backendRefs: [{ group: '', kind: 'Service', namespace: operatorNamespace, name: EVALUATOR, port: CHECK_PORT }],
      backendSettings: { healthCheck: { passive: PASSIVE_HEALTH } },
    },
  };
}

/** What a ClientTrafficPolicy must take off requests before anything else looks at them. */
export const stripStanza = { earlyRequestHeaders: { remove: EVALUATOR_HEADERS } };

/** The policy that asks the evaluator about the requests of one route. */
export function securityPolicy(context: PerUserContext, route: Target): PolicyManifest {
  const { namespace, name } = context.rollout;
  return {
    apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    kind: 'SecurityPolicy',
    metadata: {
      // Both names may hold hyphens and dots, so that together they say nothing for sure.
      name: fitting(`sluice-${name}-${route.name}-${shortHash(`${name}/${route.name}`)}`),
      namespace,
      labels: { [ROLLOUT_LABEL]: name, [MANAGED_LABEL]: 'sluice' },
    },
    spec: {
      targetRefs: [{ group: GROUP, kind: 'HTTPRoute', name: route.name } as { kind: string; name: string }],
      // Without it a policy of a route replaces that of its Gateway, and a check of tokens would be gone.
      mergeType: 'StrategicMerge',
      extAuth: checkStanza(context),
    },
  };
}

/** The policy that keeps headers of ours from coming in through a Gateway; all Rollouts behind it share it. */
export function clientTrafficPolicy({ namespace, name }: Target): PolicyManifest {
  return {
    apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    kind: 'ClientTrafficPolicy',
    metadata: {
      name: fitting(`sluice-${name}`),
      namespace,
      labels: { [MANAGED_LABEL]: 'sluice' },
    },
    spec: {
      targetRefs: [{ group: GROUP, kind: 'Gateway', name } as { kind: string; name: string }],
      headers: stripStanza,
    },
  };
}

/** Lets SecurityPolicies of one namespace send to the evaluator, which Gateway API allows only by the evaluator's own namespace. */
export function referenceGrant(
  { rollout, operatorNamespace }: Pick<PerUserContext, 'rollout' | 'operatorNamespace'>,
  gateways: readonly string[],
): PolicyManifest {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: {
      name: grantName(rollout),
      namespace: operatorNamespace,
      labels: { [MANAGED_LABEL]: 'sluice' },
      annotations: { [GATEWAYS_ANNOTATION]: gateways.join(',') },
    },
    spec: {
      from: [{ group: 'gateway.envoyproxy.io', kind: 'SecurityPolicy', namespace: rollout.namespace }],
      to: [{ group: '', kind: 'Service', name: EVALUATOR }],
    },
  };
}

/** One for each Rollout, so that none has to know of the others. */
export const grantName = ({ namespace, name }: PerUserContext['rollout']): string =>
  fitting(`sluice-${namespace}.${name}`);

const shortHash = (text: string): string => fnv1a(text).toString(16).padStart(8, '0');

/** A name as the API server takes it; one that is too long ends with its hash. */
function fitting(name: string): string {
  if (name.length <= MAX_NAME_CHARS) return name;
  const hash = shortHash(name);
  return `${name.slice(0, MAX_NAME_CHARS - hash.length - 1).replace(/[-.]+$/, '')}-${hash}`;
}
