import type { PlanServices } from '../../core/rollout/route-plan.ts';
import { isArmed } from './armed.ts';
import type { HttpRoute, ObjectRef, RouteRule } from './http-route.ts';
import { weightOf } from './http-route.ts';
import { refines } from './refine.ts';

/** Which Services a route speaks of, and from which namespace. */
export interface Names {
  readonly services: PlanServices;
  readonly namespace: string;
}

export const namesOf = (route: HttpRoute, services: PlanServices): Names => ({
  services,
  namespace: route.metadata.namespace,
});

/** Sends nothing to the Service: left alone. */
interface TheirView {
  readonly kind: 'Theirs';
  readonly index: number;
  readonly rule: RouteRule;
}

/** Sends to the user's Service, at backendRefs[at]. */
export interface UserView {
  readonly kind: 'User';
  readonly index: number;
  readonly rule: RouteRule;
  readonly at: number;
}

/** Sends to the helper Services. An index of -1: that one is missing, so somebody else wrote here. */
export interface PairView {
  /** `Base`: a rule of the user. `Appended`: a rule that Sluice added. */
  readonly kind: 'Base' | 'Appended';
  readonly index: number;
  readonly rule: RouteRule;
  readonly stableAt: number;
  readonly canaryAt: number;
  /** Sum of both weights: what the user's Service would get. */
  readonly share: number;
}

/**
 * What a rule is to a Rollout. Read from the rule itself, never from what was recorded about it, so that it stays right
 * when others edit, reorder or revert rules (docs/decisions/0070).
 */
export type RuleView = TheirView | UserView | PairView;

/**
 * A rule is taken for one that Sluice appended only on two marks: the canary stands before stable, and the rule is armed or
 * narrows a rule of the user. In doubt it is the user's, for an appended rule is removed in the end.
 */
export function viewRules(rules: readonly RouteRule[], names: Names): RuleView[] {
  const views = rules.map((rule, index) => viewRule(rule, index, names));
  const canaryFirst = (view: RuleView) => isPair(view) && view.canaryAt >= 0 && view.canaryAt < view.stableAt;
  const usersOwn = views.filter((view) => !canaryFirst(view));
  return views.map((view) =>
    isPair(view) && canaryFirst(view) && isOurs(view.rule, usersOwn) ? { ...view, kind: 'Appended' } : view,
  );
}

/** One rule by itself, as if it were the user's. */
export function viewRule(rule: RouteRule, index: number, names: Names): RuleView {
  const refs = rule.backendRefs ?? [];
  const find = (service: string) => refs.findIndex((ref) => refersTo(ref, service, names));
  const [stableAt, canaryAt] = [find(names.services.stable), find(names.services.canary)];
  if (stableAt >= 0 || canaryAt >= 0) {
    const share = [refs[stableAt], refs[canaryAt]].reduce((sum, ref) => sum + (ref ? weightOf(ref) : 0), 0);
    return { kind: 'Base', index, rule, stableAt, canaryAt, share };
  }
  const at = refs.findIndex((ref) => refersTo(ref, names.services.user, names) && weightOf(ref) > 0);
  return at >= 0 ? { kind: 'User', index, rule, at } : { kind: 'Theirs', index, rule };
}

/** A Service of the same name elsewhere, or an object of another kind, is somebody else's. */
export function refersTo(ref: ObjectRef, service: string, names: Names): boolean {
  return (
    ref.name === service &&
    (ref.group ?? '') === '' &&
    (ref.kind ?? 'Service') === 'Service' &&
    (ref.namespace ?? names.namespace) === names.namespace
  );
}

export const isPair = (view: RuleView): view is PairView => view.kind === 'Base' || view.kind === 'Appended';

function isOurs(rule: RouteRule, usersOwn: readonly RuleView[]): boolean {
  return isArmed(rule) || usersOwn.some((view) => refines(rule, view.rule));
}
