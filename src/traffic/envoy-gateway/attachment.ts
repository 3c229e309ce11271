import type { Attachment } from '../../core/rollout/sticky-seen.ts';
import { foreignClientTraffic, foreignFor, gatewaysOf, listenersHit } from './foreign.ts';
import type { PerUserContext } from './per-user-context.ts';
import { findPerUserProblems } from './per-user-problems.ts';
import { type EnvoyPolicy, judgementOf, says } from './policy.ts';
import type { PolicyManifest } from './wanted.ts';
import { wantedPolicies } from './wanted-policies.ts';

/** How far the policies of a Rollout are from being in effect: ours, and those of others that take their place. */
export function attachmentOf(context: PerUserContext): Attachment {
  const [problem] = findPerUserProblems(context);
  if (problem) return { kind: 'Refused', code: problem.code, message: problem.message };
  const { security = [], clientTraffic = [], grants = [] } = context.policies ?? {};
  const wanted = wantedPolicies(context);
  const theirs = context.routes.flatMap(({ target }) => foreignFor(target, context));
  const parents = gatewaysOf(context);
  const theirListeners = foreignClientTraffic(context).filter((policy) =>
    parents.some((parent) => listenersHit(policy, parent).length > 0),
  );
  const states = [
    // Nobody judges a grant: the policies that need it are.
    stateOf(wanted.grant, grants, () => ATTACHED),
    ...wanted.security.map((one) => stateOf(one, security, judged)),
    ...wanted.clientTraffic.map((one) => stateOf(one, clientTraffic, judged)),
    ...theirs.map((one) => judged('SecurityPolicy', one)),
    ...theirListeners.map((one) => judged('ClientTrafficPolicy', one)),
  ];
  // What is due comes before what is awaited: one write brings all of it.
  const [first] = ['Due', 'Refused', 'Waiting'].flatMap((kind) => states.filter((state) => state.kind === kind));
  return first ?? ATTACHED;
}

const ATTACHED: Attachment = { kind: 'Attached' };

function stateOf(wanted: PolicyManifest, all: readonly EnvoyPolicy[], judge: typeof judged): Attachment {
  const { name, namespace } = wanted.metadata;
  const found = all.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  const isAsWanted =
    found && says(found.spec, wanted.spec) && says(found.metadata.annotations ?? {}, wanted.metadata.annotations ?? {});
  return isAsWanted
    ? judge(wanted.kind, found)
    : { kind: 'Due', message: `${wanted.kind} ${namespace}/${name} is attached` };
}

function judged(kind: string, policy: EnvoyPolicy): Attachment {
  const named = `${kind} ${policy.metadata.namespace}/${policy.metadata.name}`;
  const judgement = judgementOf(policy);
  if (judgement.kind === 'Refused')
    return { kind: 'Refused', code: 'SLUICE_STICKINESS_NOT_ATTACHED', message: `${named}: ${judgement.message}` };
  return judgement.kind === 'Accepted' ? ATTACHED : { kind: 'Waiting', message: `${named} is not accepted yet` };
}
