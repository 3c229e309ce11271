import type { RolloutSpec } from '../../api/rollout.ts';
import type { InFlight } from '../../api/rollout-status.ts';
import type { EpochMs } from '../../base/units.ts';
import { planOf } from '../../core/rollout/plan.ts';
import type { RouteSeen } from '../../core/rollout/route-plan.ts';
import type { HTTPRoute } from '../../kube/builtins.ts';
import type { ObjectRef } from '../../kube/resource.ts';
import { type EnvoyPolicy, rulesHit } from '../../traffic/envoy-gateway/policy.ts';
import type { GatewayFacts } from '../../traffic/gateway-api/capabilities.ts';
import type { Controllers } from '../../traffic/gateway-api/conditions.ts';
import { foreignManager, sawRoute } from '../../traffic/gateway-api/foreign-manager.ts';
import type { HttpRoute } from '../../traffic/gateway-api/http-route.ts';
import { observe } from '../../traffic/gateway-api/observe.ts';
import type { RouteContext } from '../../traffic/gateway-api/route-context.ts';
import { sawTakenIn } from '../../traffic/gateway-api/taken-in.ts';
import { servicesOf } from './manifests.ts';
import { type RolloutMemory, revertsOf } from './memory.ts';
import type { CustomObject, Sources } from './sources.ts';

interface GatewayLike {
  readonly spec?: { readonly gatewayClassName?: string };
}
interface GatewayClassLike {
  readonly spec?: { readonly controllerName?: string };
  readonly status?: { readonly supportedFeatures?: readonly (string | { readonly name?: string })[] };
}

/** What a route says of its parents. */
export interface ParentRefLike {
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
}

export const parentRefsOf = ({ spec }: HTTPRoute): readonly ParentRefLike[] =>
  (spec as { parentRefs?: readonly ParentRefLike[] } | undefined)?.parentRefs ?? [];

/** Of a parent that is no Gateway, or whose class nobody knows: it may be able to do anything, or nothing. */
const unknownGateway: GatewayFacts = { controllerName: '', supportedFeatures: [] };

/** What is known of the parents of a route, one entry for each. */
export function gatewaysOf(sources: Sources, route: HTTPRoute): GatewayFacts[] {
  return parentRefsOf(route).map(({ kind = 'Gateway', namespace = route.metadata.namespace, name }) => {
    const facts = kind === 'Gateway' ? gatewayFacts(sources, { namespace, name }) : undefined;
    return facts ?? unknownGateway;
  });
}

/** The rules of a route that a SecurityPolicy is attached to by their name, with that policy. None while no policies are watched. */
export function policiesOnRules({ policies }: Sources, { metadata }: HTTPRoute): ReadonlyMap<string, string> {
  const { namespace, name } = metadata;
  const all = policies.security.byIndex('rulesOf', `${namespace ?? ''}/${name}`) as unknown as EnvoyPolicy[];
  return new Map(
    all.flatMap((policy) => rulesHit(policy, name).map((rule) => [rule, `SecurityPolicy ${policy.metadata.name}`])),
  );
}

/** Who answers for the Gateways that a route names as parents, where that is known. */
function controllersOf(sources: Sources, route: HTTPRoute): Controllers {
  const known = parentRefsOf(route).flatMap(({ kind = 'Gateway', namespace = route.metadata.namespace, name }) => {
    const facts = kind === 'Gateway' ? gatewayFacts(sources, { namespace, name }) : undefined;
    return facts ? [[`${namespace}/${name}`, facts.controllerName] as const] : [];
  });
  return Object.fromEntries(known);
}

/** What is known of one Gateway, by its class. */
export function gatewayFacts(sources: Sources, ref: ObjectRef): GatewayFacts | undefined {
  const gateway = sources.gateways.get(ref) as GatewayLike | undefined;
  const named = gateway?.spec?.gatewayClassName;
  const gatewayClass =
    named === undefined ? undefined : (sources.gatewayClasses.get({ name: named }) as GatewayClassLike | undefined);
  if (!gatewayClass?.spec?.controllerName) return undefined;
  const features = (gatewayClass.status?.supportedFeatures ?? []).map((feature) =>
    typeof feature === 'string' ? feature : (feature.name ?? ''),
  );
  return { controllerName: gatewayClass.spec.controllerName, supportedFeatures: features };
}

/** The other Rollouts of the namespace that steer routes now: names by uid. */
export function othersInFlight(sources: Sources, { metadata }: CustomObject): Record<string, string> {
  const all = sources.rollouts.byIndex('namespace', metadata.namespace ?? '');
  const others = all.filter((other) => other.metadata.uid !== metadata.uid && steersRoutes(other));
  return Object.fromEntries(others.map((other) => [other.metadata.uid ?? '', other.metadata.name]));
}

function steersRoutes({ status }: CustomObject): boolean {
  const stage = (status as { inFlight?: { stage?: InFlight['stage'] } } | undefined)?.inFlight?.stage;
  return stage !== undefined && stage !== 'Observing';
}

/** The context in which the router compares a route with what status asks of it. */
export function routeContext(
  sources: Sources,
  rollout: CustomObject,
  spec: RolloutSpec,
  memory: RolloutMemory,
  flight: InFlight,
  epoch: number,
  route: HTTPRoute,
  now: EpochMs,
): RouteContext {
  return {
    plan: planOf(flight),
    services: servicesOf(spec),
    rolloutUid: rollout.metadata.uid ?? '',
    inFlight: othersInFlight(sources, rollout),
    revision: flight.hash,
    epoch,
    settleMs: spec.traffic.settle,
    now,
    neverValue: memory.neverValue,
    gateways: gatewaysOf(sources, route),
    controllers: controllersOf(sources, route),
    takenIn: memory.takenIn.get(route.metadata.name),
  };
}

/** The routes of a Rollout as read. With nothing in flight nobody looks at them. */
export function gatherRoutes(
  sources: Sources,
  rollout: CustomObject,
  spec: RolloutSpec,
  memory: RolloutMemory,
  { inFlight: flight, epoch }: { readonly inFlight?: InFlight | undefined; readonly epoch: number },
  now: EpochMs,
): RouteSeen[] {
  if (!flight || flight.stage === 'Observing') return [];
  const { namespace } = rollout.metadata;
  return spec.traffic.router.gatewayAPI.httpRoutes.flatMap(({ name }) => {
    const route = sources.httpRoutes.get({ namespace, name });
    if (!route) return [];
    const typed = route as unknown as HttpRoute;
    const heldSince = flight.stage === 'Holding' || flight.stage === 'Baking' ? flight.stageSince : undefined;
    const controllers = controllersOf(sources, route);
    const asked = { rolloutUid: rollout.metadata.uid ?? '', controllers, heldSince, now };
    memory.takenIn.set(name, sawTakenIn(memory.takenIn.get(name), typed, asked));
    memory.reverts.set(name, sawRoute(revertsOf(memory, name), typed, servicesOf(spec), now));
    return [
      observe(
        typed,
        routeContext(sources, rollout, spec, memory, flight, epoch, route, now),
        foreignManager(revertsOf(memory, name), now),
      ),
    ];
  });
}
