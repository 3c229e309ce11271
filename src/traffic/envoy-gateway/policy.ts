/** What Sluice reads of SecurityPolicy and ClientTrafficPolicy (gateway.envoyproxy.io/v1alpha1). */
export interface EnvoyPolicy {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: PolicySpec;
  readonly status?: { readonly ancestors?: readonly PolicyAncestor[] };
}

interface PolicySpec {
  readonly targetRef?: TargetRef;
  readonly targetRefs?: readonly TargetRef[];
  readonly targetSelectors?: readonly TargetSelector[];
  readonly [field: string]: unknown;
}

interface TargetRef {
  readonly kind: string;
  readonly name: string;
  readonly sectionName?: string;
}

interface TargetSelector {
  readonly kind: string;
  readonly namespaces?: { readonly from?: string };
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

interface PolicyAncestor {
  readonly ancestorRef?: { readonly name?: string; readonly sectionName?: string };
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly observedGeneration?: number;
    readonly message?: string;
  }[];
}

/** An HTTPRoute or a Gateway that policies aim at. */
export interface Target {
  readonly kind: 'HTTPRoute' | 'Gateway';
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Where a policy meets a target: all of it (`undefined`), or a section of it (a listener, or a rule). None: it aims elsewhere. */
export function sectionsHit(policy: EnvoyPolicy, target: Target): (string | undefined)[] {
  const { targetSelectors = [] } = policy.spec ?? {};
  const isLocal = policy.metadata.namespace === target.namespace;
  const named = namedBy(policy.spec).filter(
    ({ kind, name }) => isLocal && kind === target.kind && name === target.name,
  );
  const selected = targetSelectors.filter(
    (selector) =>
      selector.kind === target.kind &&
      // Whether a grant lets it reach another namespace is not looked at: in doubt it does.
      (isLocal || (selector.namespaces?.from ?? 'Same') !== 'Same') &&
      selects(selector, target.labels),
  );
  return [...named.map(({ sectionName }) => sectionName), ...selected.map(() => undefined)];
}

/** Names of the rules of a route of its namespace that a policy is attached to. */
export const rulesHit = ({ spec }: EnvoyPolicy, route: string): string[] =>
  namedBy(spec).flatMap(({ kind, name, sectionName }) =>
    kind === 'HTTPRoute' && name === route && sectionName !== undefined ? [sectionName] : [],
  );

/** Names of the routes of its namespace of which a policy is attached to a rule. */
export const routesHitByRule = ({ spec }: EnvoyPolicy): string[] =>
  namedBy(spec).flatMap(({ kind, name, sectionName }) =>
    kind === 'HTTPRoute' && sectionName !== undefined ? [name] : [],
  );

const namedBy = ({ targetRef, targetRefs = [] }: PolicySpec = {}): TargetRef[] => [
  ...(targetRef ? [targetRef] : []),
  ...targetRefs,
];

function selects(
  { matchLabels = {}, matchExpressions = [] }: TargetSelector,
  labels: Readonly<Record<string, string>>,
): boolean {
  const equal = Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  const met = matchExpressions.every(({ key, operator, values = [] }) => {
    const value = labels[key];
    if (operator === 'Exists') return value !== undefined;
    if (operator === 'DoesNotExist') return value === undefined;
    const isListed = value !== undefined && values.includes(value);
    return operator === 'In' ? isListed : !isListed;
  });
  return equal && met;
}

/** What the gateway says of a policy as it stands now. */
export type Judgement =
  | { readonly kind: 'Accepted' }
  | { readonly kind: 'NotJudged' }
  | { readonly kind: 'Refused'; readonly message: string };

/** Accepted where every ancestor says so of this generation; one at which it was merged may say that alone. */
export function judgementOf({ metadata, status }: EnvoyPolicy): Judgement {
  const verdicts = (status?.ancestors ?? []).map(({ conditions = [] }) => {
    const present = conditions.filter(({ observedGeneration }) => observedGeneration === metadata.generation);
    return present.find(({ type }) => type === 'Accepted') ?? present.find(({ type }) => type === 'Merged');
  });
  const refused = verdicts.find((verdict) => verdict?.status === 'False');
  if (refused) return { kind: 'Refused', message: refused.message ?? 'it is not accepted' };
  const isJudged = verdicts.length > 0 && verdicts.every((verdict) => verdict?.status === 'True');
  return { kind: isJudged ? 'Accepted' : 'NotJudged' };
}

/** Whether `found` says all that `wanted` says. The API server fills in what is left out; lists are compared whole. */
export function says(found: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return Array.isArray(found) && found.length === wanted.length && wanted.every((one, i) => says(found[i], one));
  }
  if (typeof wanted !== 'object' || wanted === null) return found === wanted;
  if (typeof found !== 'object' || found === null) return false;
  return Object.entries(wanted).every(([key, value]) => says((found as Record<string, unknown>)[key], value));
}
