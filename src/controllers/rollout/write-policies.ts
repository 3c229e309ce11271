import { ROLLOUT_LABEL } from '../../api/names.ts';
import { after, type DurationMs } from '../../base/units.ts';
import { clientTrafficPolicies, type EnvoyObject, referenceGrants, securityPolicies } from '../../kube/builtins.ts';
import type { Selection } from '../../kube/client.ts';
import { isNotFound, isRefused, KubeError } from '../../kube/kube-error.ts';
import type { Resource } from '../../kube/resource.ts';
import type { EnvoyPolicy } from '../../traffic/envoy-gateway/policy.ts';
import { GATEWAYS_ANNOTATION, grantName, isOurs, MANAGED_LABEL } from '../../traffic/envoy-gateway/wanted.ts';
import { wantedPolicies } from '../../traffic/envoy-gateway/wanted-policies.ts';
import { ROLLOUT_EXTENSION } from '../../wire/per-user-routing.ts';
import { perUserContext } from './gather-sticky.ts';
import { options, specOf, type WriteContext } from './write-context.ts';

/** A refusal of the API server is believed for this long. */
const ASK_AGAIN_MS = 30_000 as DurationMs;
const WRITE_AGAIN_MS = 10_000 as DurationMs;
const OURS = `${MANAGED_LABEL}=sluice`;

/**
 * Everything that the gateway needs to ask evaluators, the policies that ask last. Applied on the server, which refuses a
 * field that it does not know: an older Envoy Gateway without `mergeType` must not drop a Gateway's own checks in silence.
 */
export async function attachPolicies(context: WriteContext): Promise<void> {
  const { client, sources, gathered, memory, clock } = context;
  const stickiness = gathered.observed.status.inFlight?.stickiness;
  const perUser = perUserContext(sources, gathered.rollout, specOf(context), stickiness);
  if (!perUser || isTooSoon(context)) return;
  memory.policiesWrittenAt = clock.now();
  const force = { ...options(context), force: true };
  const wanted = wantedPolicies(perUser);
  try {
    await client.apply(referenceGrants, manifest(wanted.grant), force);
    for (const policy of wanted.clientTraffic) await client.apply(clientTrafficPolicies, manifest(policy), force);
    for (const policy of wanted.security) await client.apply(securityPolicies, manifest(policy), force);
    delete memory.policiesRefused;
  } catch (error) {
    if (!isForGood(error)) throw error;
    context.logger.warn({ error: error.message }, 'the policies of the gateway were refused');
    const message = `the API server refused a policy: ${error.message}`;
    const attachment = { kind: 'Refused' as const, code: 'SLUICE_STICKINESS_NOT_ATTACHED', message };
    memory.policiesRefused = { attachment, until: after(clock.now(), ASK_AGAIN_MS) };
  }
}

/** Policies that stand and are not accepted are written again for what they need, but not at every look. */
function isTooSoon({ memory: { policiesWrittenAt }, gathered, clock }: WriteContext): boolean {
  const isDue = gathered.observed.sticky?.attachment.kind === 'Due';
  return !isDue && policiesWrittenAt !== undefined && clock.now() < after(policiesWrittenAt, WRITE_AGAIN_MS);
}

/** Validation, missing rights, a field or a type that the cluster does not have. */
const isForGood = (error: unknown): error is KubeError =>
  error instanceof KubeError && [400, 403, 404, 422].includes(error.httpStatus);

const manifest = (policy: EnvoyPolicy): EnvoyObject => policy as unknown as EnvoyObject;

/**
 * Takes away what was attached for this Rollout, and what no other needs any more. Reads afresh: whoever of two Rollouts ends
 * last sees that the other is gone.
 */
export async function detachPolicies(context: WriteContext): Promise<void> {
  const { gathered, memory, sources } = context;
  const { namespace = '', name } = gathered.rollout.metadata;
  delete memory.policiesRefused;
  const all = await listed(context, securityPolicies, { namespace });
  const own = all.filter((policy) => isOurs(policy) && policy.metadata.labels?.[ROLLOUT_LABEL] === name);
  for (const policy of own) await remove(context, securityPolicies, policy);
  // Where nobody says which namespace is the operator's, a policy does that asks for this Rollout, whoever's it is.
  const asking = all.filter((policy) => asksFor(policy, `${namespace}/${name}`));
  const home = sources.presetNamespace || asking.flatMap(homeOf)[0];
  try {
    if (home) await removeShared(context, home);
  } catch (error) {
    if (!isRefused(error)) throw error;
    // Who ends a Rollout without the operator may have rights in its namespace only.
    context.logger.warn({ error: error.message }, 'what the gateway shares for stickiness was left');
  }
}

/** The grant of this Rollout, and then every ClientTrafficPolicy of ours that no grant which is left needs: each Rollout has one. */
async function removeShared(context: WriteContext, home: string): Promise<void> {
  const { namespace = '', name } = context.gathered.rollout.metadata;
  const grants = () => ours(context, referenceGrants, { namespace: home });
  const own = (await grants()).filter(({ metadata }) => metadata.name === grantName({ namespace, name }));
  for (const grant of own) await remove(context, referenceGrants, grant);
  const needed = new Set((await grants()).flatMap(gatewaysOf));
  const shared = await ours(context, clientTrafficPolicies, {});
  const unneeded = shared.filter((policy) => !gatewaysHit(policy).some((key) => needed.has(key)));
  for (const policy of unneeded) await remove(context, clientTrafficPolicies, policy);
}

const ours = async (context: WriteContext, resource: Resource<EnvoyObject>, chosen: Selection) =>
  (await listed(context, resource, { ...chosen, labelSelector: OURS })).filter(isOurs);

/** None where the definition is not installed. */
async function listed(
  context: WriteContext,
  resource: Resource<EnvoyObject>,
  chosen: Selection,
): Promise<EnvoyPolicy[]> {
  try {
    const { items } = await context.client.list(resource, chosen, options(context));
    return items as unknown as EnvoyPolicy[];
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

async function remove(
  context: WriteContext,
  resource: Resource<EnvoyObject>,
  { metadata }: EnvoyPolicy,
): Promise<void> {
  const { uid } = metadata as { uid?: string };
  await context.client.delete(resource, metadata, { ...options(context), preconditions: { uid } });
}

const gatewaysOf = ({ metadata }: EnvoyPolicy): string[] =>
  metadata.annotations?.[GATEWAYS_ANNOTATION]?.split(',') ?? [];

const gatewaysHit = ({ metadata, spec }: EnvoyPolicy): string[] =>
  (spec?.targetRefs ?? []).map(({ name }) => `${metadata.namespace}/${name}`);

/** What of a SecurityPolicy says whom it asks, and about which Rollout. */
interface CheckLike {
  readonly contextExtensions?: readonly { readonly name?: string; readonly value?: string }[];
  readonly grpc?: { readonly backendRefs?: readonly { readonly namespace?: string }[] };
}

const checkOf = ({ spec }: EnvoyPolicy): CheckLike => (spec?.extAuth ?? {}) as CheckLike;

const asksFor = (policy: EnvoyPolicy, rollout: string): boolean =>
  checkOf(policy).contextExtensions?.some(({ name, value }) => name === ROLLOUT_EXTENSION && value === rollout) ===
  true;

/** Namespace of the evaluator that a policy sends to: the operator's. */
const homeOf = (policy: EnvoyPolicy): string[] =>
  (checkOf(policy).grpc?.backendRefs ?? []).flatMap(({ namespace }) => namespace ?? []);
