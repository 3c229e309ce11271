import type { HttpRoute, ParentRef, ParentStatus, RouteCondition } from './http-route.ts';

/** Why a route is not in effect: the gateway's own word for it where it has one. */
export interface NotProgrammed {
  readonly reason: string;
  readonly message: string;
}

/** True is good for these; the last is optional (Envoy Gateway has it). */
const REQUIRED = ['Accepted', 'ResolvedRefs'];
const WHERE_PRESENT = ['BackendsAvailable'];

/**
 * `undefined` when every parent has taken in this generation of the route: Accepted and ResolvedRefs, BackendsAvailable
 * where the gateway has that, and no rule dropped (PartiallyInvalid).
 */
export function whyNotProgrammed(route: HttpRoute): NotProgrammed | undefined {
  return firstProblem(route, (status, parent) => problemOf(status, parent, route.metadata.generation));
}

/** `undefined` when every parent has judged this generation, whatever it found. */
export function whyNotJudged(route: HttpRoute): NotProgrammed | undefined {
  return firstProblem(route, (status, parent) =>
    notJudged(find(status, 'Accepted'), 'Accepted', parent, route.metadata.generation),
  );
}

type Check = (status: ParentStatus, parent: string) => NotProgrammed | undefined;

function firstProblem(route: HttpRoute, check: Check): NotProgrammed | undefined {
  const parents = route.spec.parentRefs ?? [];
  if (parents.length === 0) return { reason: 'NoParent', message: 'the route names no parentRefs' };
  for (const parent of parents) {
    const name = nameOf(parent);
    const statuses =
      route.status?.parents?.filter((status) => keyOf(status.parentRef, route) === keyOf(parent, route)) ?? [];
    if (statuses.length === 0)
      return { reason: 'NotReported', message: `${name}: no gateway controller has reported yet` };
    for (const status of statuses) {
      const problem = check(status, name);
      if (problem) return problem;
    }
  }
  return undefined;
}

function problemOf(status: ParentStatus, parent: string, generation: number | undefined): NotProgrammed | undefined {
  for (const type of [...REQUIRED, ...WHERE_PRESENT]) {
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
  const { group = 'gateway.networking.k8s.io', kind = 'Gateway', namespace = route.metadata.namespace } = parent;
  return [group, kind, namespace, parent.name, parent.sectionName ?? '', parent.port ?? ''].join('/');
}

function nameOf(parent: ParentRef): string {
  const section = parent.sectionName ? `, listener ${parent.sectionName}` : '';
  return `${parent.kind ?? 'Gateway'} ${parent.name}${section}`;
}
