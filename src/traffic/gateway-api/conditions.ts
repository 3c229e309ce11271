import type { HttpRoute, ParentRef, ParentStatus, RouteCondition } from './http-route.ts';

/** Why a route is not in effect: the gateway's own word for it where it has one. */
export interface NotProgrammed {
  readonly reason: string;
  readonly message: string;
}

const GROUP = 'gateway.networking.k8s.io';

/** True is good for these; the last is optional (Envoy Gateway has it). */
const REQUIRED = ['Accepted', 'ResolvedRefs'];
const WHERE_PRESENT = ['BackendsAvailable'];

/**
 * spec.controllerName of the GatewayClass by `namespace/name` of a Gateway, where known. Others may have left entries about
 * the same parent, and nobody takes those away.
 */
export type Controllers = Readonly<Record<string, string>>;

/**
 * `undefined` when every parent has taken in this generation of the route: Accepted and ResolvedRefs, BackendsAvailable
 * where the gateway has that, and no rule dropped (PartiallyInvalid).
 */
export function whyNotProgrammed(route: HttpRoute, controllers: Controllers): NotProgrammed | undefined {
  return whyNotTrue(route, controllers, [...REQUIRED, ...WHERE_PRESENT]);
}

/** As `whyNotProgrammed`, but backends may lack pods. */
export function whyNotAccepted(route: HttpRoute, controllers: Controllers): NotProgrammed | undefined {
  return whyNotTrue(route, controllers, REQUIRED);
}

/** `undefined` when every parent has judged this generation, whatever it found. */
export function whyNotJudged(route: HttpRoute, controllers: Controllers): NotProgrammed | undefined {
  return firstProblem(route, controllers, (status, parent) =>
    notJudged(find(status, 'Accepted'), 'Accepted', parent, route.metadata.generation),
  );
}

function whyNotTrue(route: HttpRoute, controllers: Controllers, types: readonly string[]): NotProgrammed | undefined {
  const { generation } = route.metadata;
  return firstProblem(route, controllers, (status, parent) => problemOf(status, parent, { types, generation }));
}

type Check = (status: ParentStatus, parent: string) => NotProgrammed | undefined;

function firstProblem(route: HttpRoute, controllers: Controllers, check: Check): NotProgrammed | undefined {
  const parents = route.spec.parentRefs ?? [];
  if (parents.length === 0) return { reason: 'NoParent', message: 'the route names no parentRefs' };
  for (const parent of parents) {
    const name = nameOf(parent);
    const controller = controllerOf(parent, route, controllers);
    const statuses =
      route.status?.parents?.filter(
        ({ parentRef, controllerName }) =>
          keyOf(parentRef, route) === keyOf(parent, route) &&
          (controller === undefined || controller === controllerName),
      ) ?? [];
    if (statuses.length === 0)
      return { reason: 'NotReported', message: `${name}: no gateway controller has reported yet` };
    for (const status of statuses) {
      const problem = check(status, name);
      if (problem) return problem;
    }
  }
  return undefined;
}

interface Asked {
  readonly types: readonly string[];
  readonly generation: number | undefined;
}

function problemOf(status: ParentStatus, parent: string, { types, generation }: Asked): NotProgrammed | undefined {
  for (const type of types) {
    const condition = find(status, type);
    if (!condition && WHERE_PRESENT.includes(type)) continue;
    const stale = notJudged(condition, type, parent, generation);
    if (stale) return stale;
    if (condition?.status !== 'True') return because(condition, type, parent);
  }
  const partial = find(status, 'PartiallyInvalid');
  return partial?.status === 'True' && partial.observedGeneration === generation
    ? because(partial, 'PartiallyInvalid', parent)
    : undefined;
}

function notJudged(
  condition: RouteCondition | undefined,
  type: string,
  parent: string,
  generation: number | undefined,
): NotProgrammed | undefined {
  if (condition && condition.observedGeneration === generation) return undefined;
  return { reason: 'NotObserved', message: `${parent}: ${type} is not reported for generation ${generation} yet` };
}

function because(condition: RouteCondition | undefined, type: string, parent: string): NotProgrammed {
  const text = condition?.message ? `: ${condition.message}` : '';
  return {
    reason: condition?.reason || type,
    message: `${parent}: ${type} is ${condition?.status ?? 'absent'}${text}`,
  };
}

const find = (status: ParentStatus, type: string): RouteCondition | undefined =>
  status.conditions?.find((condition) => condition.type === type);

/** Identity of a parent with the API's defaults put in. */
function keyOf(parent: ParentRef, route: HttpRoute): string {
  const { group = GROUP, kind = 'Gateway', namespace = route.metadata.namespace } = parent;
  return [group, kind, namespace, parent.name, parent.sectionName ?? '', parent.port ?? ''].join('/');
}

function controllerOf(
  { group = GROUP, kind = 'Gateway', namespace, name }: ParentRef,
  { metadata }: HttpRoute,
  controllers: Controllers,
): string | undefined {
  const isGateway = group === GROUP && kind === 'Gateway';
  return isGateway ? controllers[`${namespace ?? metadata.namespace}/${name}`] : undefined;
}

function nameOf(parent: ParentRef): string {
  const section = parent.sectionName ? `, listener ${parent.sectionName}` : '';
  return `${parent.kind ?? 'Gateway'} ${parent.name}${section}`;
}
