/**
 * What Sluice reads of gateway.networking.k8s.io/v1 HTTPRoute. Lists are atomic there, and unknown fields are kept as they
 * are. Limits are those of Gateway API 1.2 to 1.6.
 */
export interface HttpRoute {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly ManagedFields[];
  };
  readonly spec: { readonly parentRefs?: readonly ParentRef[]; readonly rules?: readonly RouteRule[] };
  readonly status?: { readonly parents?: readonly ParentStatus[] };
}

export interface RouteRule {
  /** Unique within a route, so never copied. */
  readonly name?: string;
  readonly matches?: readonly RouteMatch[];
  readonly filters?: readonly RouteFilter[];
  readonly backendRefs?: readonly BackendRef[];
  readonly [field: string]: unknown;
}

export interface RouteMatch {
  readonly path?: { readonly type?: string; readonly value?: string };
  readonly method?: string;
  readonly headers?: readonly ValueMatch[];
  readonly queryParams?: readonly ValueMatch[];
}

export interface ValueMatch {
  readonly name: string;
  readonly value: string;
  readonly type?: string;
}

export interface RouteFilter {
  readonly type: string;
  readonly requestMirror?: {
    readonly backendRef: ObjectRef;
    readonly percent?: number;
    readonly fraction?: { readonly numerator: number; readonly denominator?: number };
  };
  readonly urlRewrite?: { readonly path?: { readonly replacePrefixMatch?: string } };
  readonly [field: string]: unknown;
}

export interface ObjectRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly port?: number;
}

export interface BackendRef extends ObjectRef {
  /** 0..1_000_000; the API server fills in 1. */
  readonly weight?: number;
  readonly filters?: readonly RouteFilter[];
}

export interface ParentRef extends ObjectRef {
  readonly sectionName?: string;
}

export interface ParentStatus {
  readonly parentRef: ParentRef;
  readonly controllerName?: string;
  readonly conditions?: readonly RouteCondition[];
}

export interface RouteCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

/** metadata.managedFields[]; `fieldsV1` is a trie of `f:` keys. */
export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  /** RFC 3339, whole seconds. */
  readonly time?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

export const MAX_RULES = 16;
export const MAX_MATCHES_PER_RULE = 64;
export const MAX_MATCHES_PER_ROUTE = 128;
export const MAX_HEADERS_PER_MATCH = 16;
export const MAX_FILTERS = 16;
export const MAX_BACKENDS = 16;
export const MAX_WEIGHT = 1_000_000;

/** What a rule without matches means; the API server fills it in. */
export const matchesOf = (rule: RouteRule): readonly RouteMatch[] =>
  rule.matches?.length ? rule.matches : [{ path: { type: 'PathPrefix', value: '/' } }];

export const weightOf = (ref: BackendRef): number => ref.weight ?? 1;
