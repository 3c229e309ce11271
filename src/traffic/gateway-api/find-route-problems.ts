import type { PlanServices, RoutePlan } from '../../core/rollout/route-plan.ts';
import type { GatewayFacts } from './capabilities.ts';
import { namesOf } from './find-rules.ts';
import { type Goal, goalOf } from './goal.ts';
import type { HttpRoute } from './http-route.ts';
import { usesHelpers } from './mirror.ts';
import { ownRecord } from './record.ts';
import { type Refusal, refuse } from './refusal.ts';
import type { RouteContext } from './route-context.ts';
import { whyBusy } from './why-busy.ts';

export interface ProblemContext extends Pick<RouteContext, 'rolloutUid' | 'inFlight'> {
  readonly services: PlanServices;
  readonly gateways: readonly GatewayFacts[];
  /** Every plan that the steps of the Rollout come to. */
  readonly plans: readonly RoutePlan[];
  /** By name of a rule: the policy that is attached to that rule alone. */
  readonly policiesOnRules?: ReadonlyMap<string, string>;
}

/** Why a rollout over this route must not start: each reason once, in the order of the plans. Empty = it can carry them. */
export function findRouteProblems(route: HttpRoute, context: ProblemContext): Refusal[] {
  const { name } = route.metadata;
  if (route.kind !== undefined && route.kind !== 'HTTPRoute') {
    return [refuse('SLUICE_ROUTE_KIND', `${route.kind} ${name} is not an HTTPRoute`)];
  }
  const rules = route.spec.rules ?? [];
  const names = namesOf(route, context.services);
  const busy = whyBusy(route, context);
  if (busy) return [busy];
  if (!ownRecord(route, context.rolloutUid) && rules.some((rule) => usesHelpers(rule, names))) {
    return [refuse('SLUICE_ROUTE_TAKEN', `the route ${name} sends to Services that Sluice would make`)];
  }
  const problems = context.plans.flatMap((plan) => {
    const goal = plan.kind === 'Split' ? goalOf(rules, plan, names, context.gateways) : undefined;
    if (goal?.kind === 'Refused') return [goal];
    return goal ? pastPolicies(goal, route, context) : [];
  });
  return problems.filter((problem, i) => problems.findIndex(({ message }) => message === problem.message) === i);
}

/** A rule that is appended has no name, so what is attached to the rule that it refines would not hold for it: no check of tokens, no limit. */
function pastPolicies({ added }: Goal, { metadata, spec }: HttpRoute, { policiesOnRules }: ProblemContext): Refusal[] {
  return added.flatMap(({ from }) => {
    const rule = spec.rules?.[from]?.name ?? '';
    const policy = policiesOnRules?.get(rule);
    return policy === undefined ? [] : [pastPolicy(policy, rule, metadata.name)];
  });
}

export const pastPolicy = (policy: string, rule: string, route: string): Refusal =>
  refuse(
    'SLUICE_ROUTE_RULE_POLICY',
    `${policy} is attached to the rule ${rule} of HTTPRoute ${route}, and would not hold for the rules that Sluice adds`,
  );
