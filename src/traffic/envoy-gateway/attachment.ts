import { ROLLOUT_LABEL } from '../../api/names.ts';
import { EVALUATOR_HEADERS } from '../../core/rollout/sticky.ts';
import type { Attachment } from '../../core/rollout/sticky-seen.ts';
import { type Refusal, refuse } from '../gateway-api/refusal.ts';
import type { Parent, PerUserContext, SteeredRoute } from './per-user-context.ts';
import { type EnvoyPolicy, judgementOf, says, sectionsHit, type Target } from './policy.ts';
import {
  checkStanza,
  clientTrafficPolicy,
  isOurs,
  type PolicyManifest,
  securityPolicy,
  stripStanza,
} from './wanted.ts';

/** The only gateway of which we have seen that a check may choose the route (`recomputeRoute`). */
const ENVOY_GATEWAY = 'gateway.envoyproxy.io/gatewayclass-controller';

/** Why units cannot be told apart on these routes; each `message` ends with what to add where that is the cure. */
export function findPerUserProblems(context: PerUserContext): Refusal[] {
  const unsupported = context.routes.flatMap((route) => whyUnsupported(route, context));
  if (unsupported.length > 0) return unsupported;
  return [
    ...context.routes.flatMap((route) => whyTaken(route, context)),
    ...gatewaysOf(context).flatMap((parent) => whyNotStripped(parent, context)),
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
function whyNotStripped(parent: Parent, { policies }: PerUserContext): Refusal[] {
  const foreign = (policies?.clientTraffic ?? []).filter((policy) => !isOurs(policy));
  const leaking = foreign.find((policy) => listenersHit(policy, parent).length > 0 && !strips(policy));
  if (!leaking) return [];
  const { namespace, name } = leaking.metadata;
  const message = `ClientTrafficPolicy ${namespace}/${name} is attached to Gateway ${parent.gateway.name} already; add to its spec.headers: ${JSON.stringify(stripStanza)}`;
  return [refuse('SLUICE_STICKINESS_CLIENT_POLICY_TAKEN', message)];
}

/** Those sections of the parent that a policy meets and that the route is attached to. */
function listenersHit(policy: EnvoyPolicy, { gateway, sectionName }: Parent): (string | undefined)[] {
  return sectionsHit(policy, gateway).filter(
    (section) => section === undefined || sectionName === undefined || section === sectionName,
  );
}

/** SecurityPolicies on a route, or on a rule of it, that this Rollout did not make. */
const foreignFor = (route: Target, { policies, rollout }: PerUserContext): EnvoyPolicy[] =>
  (policies?.security ?? []).filter(
    (policy) =>
      sectionsHit(policy, route).length > 0 &&
      !(isOurs(policy) && policy.metadata.labels?.[ROLLOUT_LABEL] === rollout.name),
  );

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

export interface WantedPolicies {
  readonly security: readonly PolicyManifest[];
  readonly clientTraffic: readonly PolicyManifest[];
}

/** The policies that are ours to write: not those that somebody else has with what is needed. */
export function wantedPolicies(context: PerUserContext): WantedPolicies {
  const foreign = (context.policies?.clientTraffic ?? []).filter((policy) => !isOurs(policy));
  const own = gatewaysOf(context).filter(
    ({ gateway }) => !foreign.some((policy) => sectionsHit(policy, gateway).includes(undefined)),
  );
  const gateways = new Map(own.map(({ gateway }) => [`${gateway.namespace}/${gateway.name}`, gateway]));
  return {
    security: context.routes
      .filter(({ target }) => foreignFor(target, context).length === 0)
      .map(({ target, parents }) =>
        securityPolicy(
          context,
          target,
          parents.flatMap((parent) => (parent ? [parent.gateway] : [])),
        ),
      ),
    clientTraffic: [...gateways.values()].map(clientTrafficPolicy),
  };
}

/** How far the policies of a Rollout are from being in effect. */
export function attachmentOf(context: PerUserContext): Attachment {
  const [problem] = findPerUserProblems(context);
  if (problem) return { kind: 'Refused', code: problem.code, message: problem.message };
  const { security = [], clientTraffic = [] } = context.policies ?? {};
  const wanted = wantedPolicies(context);
  const states = [
    ...wanted.security.map((one) => stateOf(one, security)),
    ...wanted.clientTraffic.map((one) => stateOf(one, clientTraffic)),
  ];
  // What is due comes before what is awaited: one write brings all of it.
  const [first] = ['Due', 'Refused', 'Waiting'].flatMap((kind) => states.filter((state) => state.kind === kind));
  return first ?? { kind: 'Attached' };
}

function stateOf(wanted: PolicyManifest, all: readonly EnvoyPolicy[]): Attachment {
  const { name, namespace } = wanted.metadata;
  const found = all.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  const named = `${wanted.kind} ${namespace}/${name}`;
  const isAsWanted =
    found && says(found.spec, wanted.spec) && says(found.metadata.annotations ?? {}, wanted.metadata.annotations ?? {});
  if (!isAsWanted) return { kind: 'Due', message: `${named} is attached` };
  const judgement = judgementOf(found);
  if (judgement.kind === 'Refused')
    return { kind: 'Refused', code: 'SLUICE_STICKINESS_NOT_ATTACHED', message: `${named}: ${judgement.message}` };
  return judgement.kind === 'Accepted'
    ? { kind: 'Attached' }
    : { kind: 'Waiting', message: `${named} is not accepted yet` };
}

/** The Gateways behind the routes; one entry for each listener that a route names. */
function gatewaysOf({ routes }: PerUserContext): Parent[] {
  const all = routes.flatMap(({ parents }) => parents.filter((parent) => parent !== undefined));
  const keys = all.map(({ gateway, sectionName }) => `${gateway.namespace}/${gateway.name}/${sectionName ?? ''}`);
  return all.filter((_, index) => keys.indexOf(keys[index] as string) === index);
}
