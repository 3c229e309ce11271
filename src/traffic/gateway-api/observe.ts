import { FULL_WEIGHT_BP, type WeightBp } from '../../base/units.ts';
import type { RouteProgress, RouteSeen } from '../../core/rollout/route-plan.ts';
import { isArmed } from './armed.ts';
import { whyNotProgrammed } from './conditions.ts';
import { isPair, type Names, namesOf, type PairView, type RuleView, viewRules } from './find-rules.ts';
import { type HttpRoute, weightOf } from './http-route.ts';
import { mirroredBp, ourMirror, usesHelpers } from './mirror.ts';
import { type NextStep, nextStep, takenInSince } from './next-step.ts';
import { ownRecord, planRecord } from './record.ts';
import type { RouteContext } from './route-context.ts';

/** The route as read, compared with the plan. `foreignManager` comes from `foreign-manager.ts`. */
export function observe(route: HttpRoute, context: RouteContext, foreignManager?: string): RouteSeen {
  const names = namesOf(route, context.services);
  const rules = route.spec.rules ?? [];
  const views = viewRules(rules, names);
  const record = ownRecord(route, context.rolloutUid);
  const notProgrammed = whyNotProgrammed(route, context.controllers);
  const takenInAt = record && takenInSince(record, context);
  return {
    name: route.metadata.name,
    ...(record ? { record: planRecord(record) } : {}),
    ...(takenInAt === undefined ? {} : { takenInAt }),
    canaryBp: Math.max(0, ...views.map((view) => (view.kind === 'Base' ? canaryShareBp(view) : 0))) as WeightBp,
    reachesCanary: views.some((view) => reachesCanary(view, names)),
    usesHelpers: rules.some((rule) => usesHelpers(rule, names)),
    progress: progressOf(nextStep(route, context)),
    programmed: notProgrammed === undefined,
    ...(notProgrammed ? { notProgrammed } : {}),
    ...(foreignManager === undefined ? {} : { foreignManager }),
  };
}

const progressOf = (step: NextStep): RouteProgress => (step.kind === 'Due' ? { kind: 'Due' } : step);

function reachesCanary(view: RuleView, names: Names): boolean {
  if (view.kind === 'Appended' && isArmed(view.rule)) return false;
  return (isPair(view) && canaryShareBp(view) > 0) || mirroredBp(ourMirror(view.rule, names)) > 0;
}

/** Of the pair's share; rounded up, so that no traffic is reported as none. */
function canaryShareBp({ rule, canaryAt, share }: PairView): number {
  const canary = rule.backendRefs?.[canaryAt];
  return canary && share > 0 ? Math.ceil((weightOf(canary) * FULL_WEIGHT_BP) / share) : 0;
}
