import type { RoutePlan } from '../../core/rollout/route-plan.ts';
import { sameJson } from '../same-json.ts';
import { arm } from './armed.ts';
import { noMoreThanNow } from './canary-share.ts';
import type { GatewayFacts } from './capabilities.ts';
import { type Names, type RuleView, viewRules } from './find-rules.ts';
import { type Goal, goalOf } from './goal.ts';
import { MAX_MATCHES_PER_ROUTE, MAX_RULES, matchesOf, type RouteRule } from './http-route.ts';
import { withMirror } from './mirror.ts';
import { isReady, nextAdded, slotsOf } from './next-added.ts';
import type { Originals } from './record.ts';
import type { Refusal } from './refusal.ts';
import { giveBack, takeOver } from './split.ts';

/** What one patch does to the rules. */
export interface RuleChanges {
  readonly kind: 'Changes';
  /** By index of the rules as read; `undefined` = removed. */
  readonly rules: readonly (RouteRule | undefined)[];
  readonly appended: readonly RouteRule[];
}

/** What may happen now. Everything else may happen at any time, because it sends no more to the canary. */
export interface Allowed {
  /** The last change is in effect everywhere: more may go to the canary, armed rules may be aimed. */
  readonly raise: boolean;
  /** The gateways had time to take in that a rule was disarmed: it may be removed. */
  readonly remove: boolean;
}

export interface Way {
  readonly plan: RoutePlan;
  readonly names: Names;
  readonly gateways: readonly GatewayFacts[];
  readonly neverValue: string;
  readonly originals: Originals;
}

/** All that may change now towards the plan, as one step. No change at all = arrived, or something must be awaited. */
export function advance(rules: readonly RouteRule[], way: Way, allowed: Allowed): RuleChanges | Refusal {
  const views = viewRules(rules, way.names);
  if (way.plan.kind === 'Original') return towardsOriginal(views, way, allowed);
  const goal = goalOf(rules, way.plan, way.names, way.gateways);
  return goal.kind === 'Refused' ? goal : towardsSplit(views, goal, way, allowed);
}

/** Whether a step is more than standing still. */
export function changesAnything(before: readonly RouteRule[], { rules, appended }: RuleChanges): boolean {
  return appended.length > 0 || before.some((rule, i) => !sameJson(rule, rules[i]));
}

function towardsOriginal(views: readonly RuleView[], way: Way, { remove }: Allowed): RuleChanges {
  const added = nextAdded(slotsOf(views, []), { ...way, raise: false, remove, incomplete: false });
  const noneLeft = [...added.values()].every((rule) => rule === undefined);
  const rules = views.map((view) => {
    if (view.kind === 'Appended') return added.get(view.index);
    if (view.kind !== 'Base') return view.rule;
    const plain = withMirror(view.rule, undefined, way.names);
    return noneLeft ? giveBack({ ...view, rule: plain }, way.originals[view.index], way.names) : plain;
  });
  return { kind: 'Changes', rules, appended: [] };
}

function towardsSplit(views: readonly RuleView[], goal: Goal, way: Way, allowed: Allowed): RuleChanges {
  const slots = slotsOf(views, goal.added);
  const missing = goal.added.slice(slots.length).map(({ rule }) => arm(rule, way.neverValue));
  const incomplete = missing.length > 0;
  // The first patch sends everything to stable, the next ones bring what must warm up, and the last one raises all at once:
  // piece by piece, a request could meet a mirror or a weight that it is not to meet once another rule takes it.
  const taken = !views.some((view) => view.kind === 'User');
  const raise = allowed.raise && taken && !incomplete && slots.every((slot) => isReady(slot, way.names));
  const added = nextAdded(slots, { ...way, raise, remove: allowed.remove, incomplete });
  const rules = views.map((view) => {
    if (view.kind === 'Appended') return added.get(view.index);
    if (view.kind === 'User') return takeOver(view, way.names);
    const wanted = goal.bases.get(view.index);
    if (view.kind !== 'Base' || !wanted) return view.rule;
    return raise ? wanted : noMoreThanNow(view, view.rule, wanted, way.names);
  });
  const appended = hasRoom([...rules.filter((rule) => rule !== undefined), ...missing]) ? missing : [];
  return { kind: 'Changes', rules, appended };
}

function hasRoom(rules: readonly RouteRule[]): boolean {
  const matches = rules.reduce((sum, rule) => sum + matchesOf(rule).length, 0);
  return rules.length <= MAX_RULES && matches <= MAX_MATCHES_PER_ROUTE;
}
