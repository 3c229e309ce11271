import type { RolloutSpec } from '../../api/rollout.ts';
import type { RolloutStatus } from '../../api/rollout-status.ts';
import type { EpochMs } from '../../base/units.ts';
import type { Observed, Problem } from '../../core/rollout/observed.ts';
import { flagKeyOf, flagOf } from '../../core/rollout/sticky.ts';
import type { EnvoyObject, HTTPRoute } from '../../kube/builtins.ts';
import { attachmentOf } from '../../traffic/envoy-gateway/attachment.ts';
import type { Parent, PerUserContext, SteeredRoute } from '../../traffic/envoy-gateway/per-user-context.ts';
import { findPerUserProblems } from '../../traffic/envoy-gateway/per-user-problems.ts';
import type { EnvoyPolicy } from '../../traffic/envoy-gateway/policy.ts';
import { isOurs } from '../../traffic/envoy-gateway/wanted.ts';
import { gatewayFacts, parentRefsOf } from './gather-routes.ts';
import type { RolloutMemory } from './memory.ts';
import type { CustomObject, Sources } from './sources.ts';

type Sticky = Pick<Observed, 'sticky' | 'policiesAttached'>;

/** What a Rollout that moves units needs beside its routes; with nothing to move, only what is left of it. */
export function gatherSticky(
  sources: Sources,
  rollout: CustomObject,
  spec: RolloutSpec | undefined,
  memory: RolloutMemory,
  now: EpochMs,
  { inFlight: flight }: RolloutStatus,
): Sticky {
  const { namespace = '', name } = rollout.metadata;
  const policiesAttached = ownPolicies(sources, rollout).length > 0;
  const context = spec && perUserContext(sources, rollout, spec, flight?.stickiness ?? spec.traffic.stickiness);
  if (!context) return { policiesAttached };
  const ref = { namespace, name };
  return {
    policiesAttached,
    sticky: {
      attachment: sources.policies.isKnown()
        ? (refusedBefore(memory, now) ?? attachmentOf(context))
        : { kind: 'Waiting', message: 'what policies there are is being read' },
      evaluators: sources.evaluators.of(flagKeyOf(ref), flagOf({ ...ref, flight })),
    },
  };
}

/** An API server that refused our policies is asked again after a while only. */
const refusedBefore = ({ policiesRefused }: RolloutMemory, now: EpochMs) =>
  policiesRefused && now < policiesRefused.until ? policiesRefused.attachment : undefined;

/** Why the units of this spec cannot be told apart. While policies are not known yet, nobody can say. */
export function stickinessProblems(sources: Sources, rollout: CustomObject, spec: RolloutSpec): Problem[] {
  const context = perUserContext(sources, rollout, spec, spec.traffic.stickiness);
  if (!context || !sources.policies.isKnown()) return [];
  return findPerUserProblems(context).map(({ code, message }) => ({ code, message }));
}

/** SecurityPolicies that Sluice made for this Rollout. */
function ownPolicies({ policies }: Sources, { metadata }: CustomObject): EnvoyPolicy[] {
  return typed(policies.security.byIndex('rollout', `${metadata.namespace ?? ''}/${metadata.name}`)).filter(isOurs);
}

/** Undefined where the Rollout moves requests, not units. */
export function perUserContext(
  sources: Sources,
  rollout: CustomObject,
  { traffic }: RolloutSpec,
  stickiness: RolloutSpec['traffic']['stickiness'],
): PerUserContext | undefined {
  if (!stickiness) return undefined;
  const { namespace = '', name } = rollout.metadata;
  const { policies, presetNamespace: operatorNamespace } = sources;
  return {
    rollout: { namespace, name },
    stickiness,
    operatorNamespace,
    routes: traffic.router.gatewayAPI.httpRoutes.flatMap((one) => {
      const route = sources.httpRoutes.get({ namespace, name: one.name });
      return route ? [steeredRoute(sources, route)] : [];
    }),
    ...(policies.isServed()
      ? {
          policies: {
            security: typed(policies.security.list()),
            clientTraffic: typed(policies.clientTraffic.list()),
            grants: typed(policies.grants.list()),
          },
        }
      : { policies: undefined }),
  };
}

/** The judge reads objects by its own, narrower type. */
const typed = (objects: Iterable<EnvoyObject>): EnvoyPolicy[] => [...objects] as unknown as EnvoyPolicy[];

function steeredRoute(sources: Sources, route: HTTPRoute): SteeredRoute {
  const { namespace = '', name, labels = {} } = route.metadata;
  return {
    target: { kind: 'HTTPRoute', namespace, name, labels },
    parents: parentRefsOf(route).map((ref) => parentOf(sources, namespace, ref)),
  };
}

function parentOf(
  sources: Sources,
  namespace: string,
  ref: ReturnType<typeof parentRefsOf>[number],
): Parent | undefined {
  if ((ref.kind ?? 'Gateway') !== 'Gateway') return undefined;
  const at = { namespace: ref.namespace ?? namespace, name: ref.name };
  const labels = sources.gateways.get(at)?.metadata.labels ?? {};
  const facts = gatewayFacts(sources, at);
  return {
    gateway: { kind: 'Gateway', ...at, labels },
    sectionName: ref.sectionName,
    controllerName: facts?.controllerName,
  };
}
