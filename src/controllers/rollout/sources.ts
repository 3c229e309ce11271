import type { Guardrail } from '../../api/guardrail.ts';
import { GROUP, ROLLOUT_LABEL, VERSION } from '../../api/names.ts';
import type {
  ControllerRevision,
  Deployment,
  EndpointSlice,
  EnvoyObject,
  Gateway,
  GatewayClass,
  HorizontalPodAutoscaler,
  HTTPRoute,
  Pod,
  ReplicaSet,
  Service,
} from '../../kube/builtins.ts';
import type { CacheReader } from '../../kube/cache.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { type EnvoyPolicy, routesHitByRule } from '../../traffic/envoy-gateway/policy.ts';
import type { EvaluatorReach } from './evaluator-reach.ts';

/** A Rollout or Metric as the API server has it: unparsed. */
export type CustomObject = KubeObject & { readonly spec?: unknown; readonly status?: unknown };

export const rolloutsResource: Resource<CustomObject> = {
  group: GROUP,
  version: VERSION,
  plural: 'rollouts',
  kind: 'Rollout',
  namespaced: true,
};
export const metricsResource: Resource<CustomObject> = {
  group: GROUP,
  version: VERSION,
  plural: 'metrics',
  kind: 'Metric',
  namespaced: true,
};

/** Envoy Gateway's policies, where its definitions are installed. */
export interface PolicySources {
  readonly security: CacheReader<EnvoyObject, 'rollout' | 'rulesOf'>;
  readonly clientTraffic: CacheReader<EnvoyObject>;
  /** ReferenceGrants of the operator's namespace. */
  readonly grants: CacheReader<EnvoyObject>;
  /** The definitions are installed, as far as is known. */
  isServed(): boolean;
  /** Either there are no definitions, or the caches are filled. */
  isKnown(): boolean;
}

/** Every cache that the controller reads. Index values are `namespace/…`. */
export interface Sources {
  readonly rollouts: CacheReader<CustomObject, 'namespace' | 'deployment' | 'service' | 'route'>;
  readonly metrics: CacheReader<CustomObject>;
  readonly deployments: CacheReader<Deployment, 'namespace'>;
  readonly replicaSets: CacheReader<ReplicaSet, 'owner' | 'rollout'>;
  readonly pods: CacheReader<Pod, 'hash'>;
  readonly services: CacheReader<Service>;
  readonly endpointSlices: CacheReader<EndpointSlice, 'service'>;
  readonly controllerRevisions: CacheReader<ControllerRevision, 'rollout'>;
  readonly httpRoutes: CacheReader<HTTPRoute>;
  readonly gateways: CacheReader<Gateway>;
  readonly gatewayClasses: CacheReader<GatewayClass>;
  readonly autoscalers: CacheReader<HorizontalPodAutoscaler, 'target'>;
  readonly policies: PolicySources;
  /** What evaluators of the gateway run. */
  readonly evaluators: Pick<EvaluatorReach, 'of'>;
  /** Namespace of the operator: its Metrics are presets for all others. */
  readonly presetNamespace: string;
  /** Guardrails of the platform, for every Rollout that has none of the same name. */
  readonly defaultGuardrails: readonly Guardrail[];
}

interface SpecLike {
  readonly workload?: { readonly name?: string };
  readonly traffic?: {
    readonly service?: string;
    readonly router?: { readonly gatewayAPI?: { readonly httpRoutes?: readonly { readonly name?: string }[] } };
  };
}

interface RolloutLike {
  readonly spec?: SpecLike;
  readonly status?: {
    readonly inFlight?: {
      readonly router?: { readonly service?: string; readonly httpRoutes?: readonly string[] };
    };
  };
}

/** What the spec names, and what the rollout in flight has frozen. */
const servicesNamed = ({ spec, status }: RolloutLike) => [spec?.traffic?.service, status?.inFlight?.router?.service];
const routesNamed = ({ spec, status }: RolloutLike) => [
  ...(spec?.traffic?.router?.gatewayAPI?.httpRoutes ?? []).map(({ name }) => name),
  ...(status?.inFlight?.router?.httpRoutes ?? []),
];

const inNamespace = ({ metadata }: KubeObject, name: string | undefined): string[] =>
  name ? [`${metadata.namespace ?? ''}/${name}`] : [];

const keysOf = (object: KubeObject, names: readonly (string | undefined)[]): string[] => [
  ...new Set(names.flatMap((name) => inNamespace(object, name))),
];

/** What each cache is indexed by; here beside the names that readers use. */
export const indexes = {
  rollouts: {
    namespace: ({ metadata }: CustomObject) => [metadata.namespace ?? ''],
    deployment: (rollout: CustomObject) => inNamespace(rollout, (rollout.spec as SpecLike | undefined)?.workload?.name),
    service: (rollout: CustomObject) => keysOf(rollout, servicesNamed(rollout as RolloutLike)),
    route: (rollout: CustomObject) => keysOf(rollout, routesNamed(rollout as RolloutLike)),
  },
  deployments: { namespace: ({ metadata }: Deployment) => [metadata.namespace ?? ''] },
  replicaSets: {
    owner: ({ metadata }: ReplicaSet) =>
      (metadata.ownerReferences ?? []).flatMap(({ controller, uid }) => (controller ? [uid] : [])),
    rollout: (set: ReplicaSet) => inNamespace(set, set.metadata.labels?.[ROLLOUT_LABEL]),
  },
  pods: { hash: (pod: Pod) => inNamespace(pod, pod.metadata.labels?.['pod-template-hash']) },
  endpointSlices: {
    service: (slice: EndpointSlice) => inNamespace(slice, slice.metadata.labels?.['kubernetes.io/service-name']),
  },
  controllerRevisions: {
    rollout: (record: ControllerRevision) => inNamespace(record, record.metadata.labels?.[ROLLOUT_LABEL]),
  },
  securityPolicies: {
    rollout: (policy: EnvoyObject) => inNamespace(policy, policy.metadata.labels?.[ROLLOUT_LABEL]),
    /** Routes of which it is attached to a rule by that rule's name. */
    rulesOf: (policy: EnvoyObject) => keysOf(policy, routesHitByRule(policy as unknown as EnvoyPolicy)),
  },
  autoscalers: {
    target: (hpa: HorizontalPodAutoscaler) =>
      hpa.spec?.scaleTargetRef.kind === 'Deployment' ? inNamespace(hpa, hpa.spec.scaleTargetRef.name) : [],
  },
};
