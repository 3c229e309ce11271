import { EVALUATOR_HEADERS } from '../../core/rollout/sticky.ts';
import { pastPolicy } from '../gateway-api/find-route-problems.ts';
import { type Refusal, refuse } from '../gateway-api/refusal.ts';
import { foreignClientTraffic, foreignFor, gatewaysOf, listenersHit } from './foreign.ts';
import type { Parent, PerUserContext, SteeredRoute } from './per-user-context.ts';
import { type EnvoyPolicy, rulesHit, says } from './policy.ts';
import { checkStanza, type PolicyManifest, stripStanza } from './wanted.ts';
import { wantedPolicies } from './wanted-policies.ts';

/** The only gateway of which we have seen that a check may choose the route (`recomputeRoute`). */
const ENVOY_GATEWAY = 'gateway.envoyproxy.io/gatewayclass-controller';

/** Why units cannot be told apart on these routes; each `message` ends with what to add where that is the cure. */
export function findPerUserProblems(context: PerUserContext): Refusal[] {
  const unsupported = context.routes.flatMap((route) => whyUnsupported(route, context));
  if (unsupported.length > 0) return unsupported;
  return [
    ...context.routes.flatMap((route) => whyTaken(route, context)),
    ...gatewaysOf(context).flatMap((parent) => whyNotStripped(parent, context)),
    ...whyNotNamed(context),
  ];
}

function whyUnsupported({ target, parents }: SteeredRoute, { policies }: PerUserContext): Refusal[] {
  const other = parents.length === 0 || parents.some((parent) => parent?.controllerName !== ENVOY_GATEWAY);
  const why = other ? 'has a parent that is not known to be a Gateway of Envoy Gateway' : 'has no SecurityPolicies';
  return other || !policies ? [refuse('SLUICE_STICKINESS_UNSUPPORTED', `HTTPRoute ${target.name} ${why}`)] : [];
}

/** A route has room for one policy; a check of the Gateway's own would be replaced by ours. */
function whyTaken({ target, parents }: SteeredRoute, context: PerUserContext): Refusal[] {
  const { security = [] } = context.policies ?? {};
  const foreign = foreignFor(target, context);
  // Also one with our check in it: the rules that we add have no name, so it would not hold for them.
  for (const policy of foreign) {
    const [rule] = rulesHit(policy, target.name);
    if (rule !== undefined) return [pastPolicy(`SecurityPolicy ${policy.metadata.name}`, rule, target.name)];
  }
  const inTheWay = foreign.find((policy) => !carriesCheck(policy, context));
  if (inTheWay) {
    const stanza = JSON.stringify({ mergeType: 'StrategicMerge', extAuth: checkStanza(context) });
    const named = `SecurityPolicy ${inTheWay.metadata.name} is attached to HTTPRoute ${target.name} already`;
    return [refuse('SLUICE_STICKINESS_POLICY_TAKEN', `${named}; add to its spec: ${stanza}`)];
  }
  if (foreign.length > 0) return [];
  for (const parent of parents) {
    const checking = security.find(
      (policy) => parent && policy.spec?.extAuth !== undefined && listenersHit(policy, parent).length > 0,
    );
    if (!checking) continue;
    const { namespace, name } = checking.metadata;
    const message = `SecurityPolicy ${namespace}/${name} of the Gateway has an extAuth of its own, which ours would replace`;
    return [refuse('SLUICE_STICKINESS_GATEWAY_CHECK', message)];
  }
  return [];
}

/** Listeners take one policy each, and nothing is merged there. */
function whyNotStripped(parent: Parent, context: PerUserContext): Refusal[] {
  const leaking = foreignClientTraffic(context).find(
    (policy) => listenersHit(policy, parent).length > 0 && !strips(policy),
  );
  if (!leaking) return [];
  const { namespace, name } = leaking.metadata;
  const message = `ClientTrafficPolicy ${namespace}/${name} is attached to Gateway ${parent.gateway.name} already; add to its spec.headers: ${JSON.stringify(stripStanza)}`;
  return [refuse('SLUICE_STICKINESS_CLIENT_POLICY_TAKEN', message)];
}

/** What we write is applied by force, so it must not meet an object of somebody else. */
function whyNotNamed(context: PerUserContext): Refusal[] {
  const { policies } = context;
  const { grant, security, clientTraffic } = wantedPolicies(context);
  return [
    ...takenNames([grant], policies?.grants ?? []),
    ...takenNames(security, policies?.security ?? []),
    ...takenNames(clientTraffic, policies?.clientTraffic ?? []),
  ];
}

function takenNames(wanted: readonly PolicyManifest[], all: readonly EnvoyPolicy[]): Refusal[] {
  return wanted.flatMap(({ kind, metadata }) => {
    const { name, namespace, labels } = metadata;
    const found = all.find((one) => one.metadata.name === name && one.metadata.namespace === namespace);
    if (!found || says(found.metadata.labels ?? {}, labels)) return [];
    const message = `${kind} ${namespace}/${name} does not carry the labels ${JSON.stringify(labels)}`;
    return [refuse('SLUICE_STICKINESS_NAME_TAKEN', message)];
  });
}

/** Which headers are sent, and how long and of whom an answer is awaited, is its owner's choice. */
function carriesCheck({ spec }: EnvoyPolicy, context: PerUserContext): boolean {
  const { headersToExtAuth: _headers, timeout: _timeout, grpc, ...needed } = checkStanza(context);
  return says(spec?.extAuth, { ...needed, grpc: { backendRefs: grpc.backendRefs } });
}

function strips({ spec }: EnvoyPolicy): boolean {
  const { earlyRequestHeaders } = (spec?.headers ?? {}) as { earlyRequestHeaders?: { remove?: readonly string[] } };
  const removed = earlyRequestHeaders?.remove?.map((name) => name.toLowerCase()) ?? [];
  return EVALUATOR_HEADERS.every((name) => removed.includes(name));
}
