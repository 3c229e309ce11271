import type {
  EventsV1Event,
  V1ConfigMap,
  V1ControllerRevision,
  V1Deployment,
  V1EndpointSlice,
  V1Lease,
  V1MutatingWebhookConfiguration,
  V1Namespace,
  V1Pod,
  V1ReplicaSet,
  V1Scale,
  V1Secret,
  V1Service,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node';
import type { KubeObject, Resource } from './resource.ts';

/**
 * client-node's model as it stands in JSON: times are strings (the models say `Date`, which only their own serializer
 * makes), and everything is read-only because it may come from a cache.
 */
type Json<T> = T extends Date
  ? string
  : T extends readonly (infer E)[]
    ? readonly Json<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Json<T[K]> }
      : T;

type BuiltIn<T> = Json<Omit<T, 'apiVersion' | 'kind' | 'metadata'>> & KubeObject;

export type Deployment = BuiltIn<V1Deployment>;
export type ReplicaSet = BuiltIn<V1ReplicaSet>;
export type ControllerRevision = BuiltIn<V1ControllerRevision>;
export type Service = BuiltIn<V1Service>;
export type EndpointSlice = BuiltIn<V1EndpointSlice>;
export type Pod = BuiltIn<V1Pod>;
export type Secret = BuiltIn<V1Secret>;
export type ConfigMap = BuiltIn<V1ConfigMap>;
export type Namespace = BuiltIn<V1Namespace>;
export type Lease = BuiltIn<V1Lease>;
export type KubeEvent = BuiltIn<EventsV1Event>;
export type MutatingWebhookConfiguration = BuiltIn<V1MutatingWebhookConfiguration>;
export type HorizontalPodAutoscaler = BuiltIn<V2HorizontalPodAutoscaler>;
/** The `scale` subresource of a workload. */
export type Scale = BuiltIn<V1Scale>;
/** Gateway API objects: their owners (src/traffic) give `spec` and `status` a shape. */
export type HTTPRoute = KubeObject & { readonly spec?: unknown; readonly status?: unknown };
export type Gateway = HTTPRoute;
export type GatewayClass = HTTPRoute;
/** Policies of Envoy Gateway: as above. */
export type EnvoyObject = HTTPRoute;

function describe<T extends KubeObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  scope: 'Namespaced' | 'Cluster' = 'Namespaced',
): Resource<T> {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return { group, version, plural, kind, namespaced: scope === 'Namespaced' };
}

export const deployments = describe<Deployment>('apps/v1', 'Deployment', 'deployments');
export const replicaSets = describe<ReplicaSet>('apps/v1', 'ReplicaSet', 'replicasets');
export const controllerRevisions = describe<ControllerRevision>('apps/v1', 'ControllerRevision', 'controllerrevisions');
export const services = describe<Service>('v1', 'Service', 'services');
export const endpointSlices = describe<EndpointSlice>('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices');
export const pods = describe<Pod>('v1', 'Pod', 'pods');
export const secrets = describe<Secret>('v1', 'Secret', 'secrets');
export const configMaps = describe<ConfigMap>('v1', 'ConfigMap', 'configmaps');
export const namespaces = describe<Namespace>('v1', 'Namespace', 'namespaces', 'Cluster');
export const leases = describe<Lease>('coordination.k8s.io/v1', 'Lease', 'leases');
export const events = describe<KubeEvent>('events.k8s.io/v1', 'Event', 'events');
export const mutatingWebhookConfigurations = describe<MutatingWebhookConfiguration>(
  'admissionregistration.k8s.io/v1',
  'MutatingWebhookConfiguration',
  'mutatingwebhookconfigurations',
  'Cluster',
);
export const horizontalPodAutoscalers = describe<HorizontalPodAutoscaler>(
  'autoscaling/v2',
  'HorizontalPodAutoscaler',
  'horizontalpodautoscalers',
);
export const httpRoutes = describe<HTTPRoute>('gateway.networking.k8s.io/v1', 'HTTPRoute', 'httproutes');
export const gateways = describe<Gateway>('gateway.networking.k8s.io/v1', 'Gateway', 'gateways');
export const gatewayClasses = describe<GatewayClass>(
  'gateway.networking.k8s.io/v1',
  'GatewayClass',
  'gatewayclasses',
  'Cluster',
);
/** In this version since Gateway API 0.6, and still. */
export const referenceGrants = describe<HTTPRoute>(
  'gateway.networking.k8s.io/v1beta1',
  'ReferenceGrant',
  'referencegrants',
);
export const securityPolicies = describe<EnvoyObject>(
  'gateway.envoyproxy.io/v1alpha1',
  'SecurityPolicy',
  'securitypolicies',
);
export const clientTrafficPolicies = describe<EnvoyObject>(
  'gateway.envoyproxy.io/v1alpha1',
  'ClientTrafficPolicy',
  'clienttrafficpolicies',
);
