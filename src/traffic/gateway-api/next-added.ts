import { sameJson } from '../same-json.ts';
import type { AddedRule } from './added-rule.ts';
import { arm, armedValue, isArmed } from './armed.ts';
import { noMoreThanNow } from './canary-share.ts';
import type { Names, PairView, RuleView } from './find-rules.ts';
import type { RouteRule } from './http-route.ts';
import { changesInPlace, matchesAll } from './in-place.ts';
import { withMirror } from './mirror.ts';

/** An appended rule, and what is to stand in its place; `undefined` = nothing. */
export interface Slot {
  readonly view: PairView;
  readonly wanted: AddedRule | undefined;
}

export interface AddedContext {
  readonly names: Names;
  readonly neverValue: string;
  /** More may go to the canary now. */
  readonly raise: boolean;
  /** What was disarmed is out of use now. */
  readonly remove: boolean;
  /** Wanted rules are still to be appended. */
  readonly incomplete: boolean;
}

/** The n-th appended rule becomes the n-th wanted one, so that none moves: gateways name a rule's backends by its index. */
export const slotsOf = (views: readonly RuleView[], wanted: readonly AddedRule[]): Slot[] =>
  views.filter((view): view is PairView => view.kind === 'Appended').map((view, n) => ({ view, wanted: wanted[n] }));

/** Whether a switch to the wanted rules needs nothing more of this one than that its matches change. */
export function isReady({ view: { rule }, wanted }: Slot, names: Names): boolean {
  if (!wanted) return true;
  return isArmed(rule) ? sameJson(rearm(rule, wanted.rule, ''), rule) : changesInPlace(rule, wanted, names);
}

/**
 * The appended rules after one step, by index; `undefined` = removed. Which of them are aimed changes for all together,
 * because one may keep another from taking too much (docs/decisions/0071).
 */
export function nextAdded(slots: readonly Slot[], context: AddedContext): Map<number, RouteRule | undefined> {
  const aims = nextAims(slots, context);
  const unwanted = slots.filter(({ wanted }) => !wanted);
  const removed = context.remove && unwanted.every(({ view }) => isArmed(view.rule));
  return new Map(
    slots.map((slot) => [slot.view.index, !slot.wanted && removed ? undefined : nextRule(slot, aims, context)]),
  );
}

/**
 * `Switch`: to the wanted rules, when more may go to the canary or that only takes away. `Clear`: to none, when one must make
 * way. `Keep`: as they are, until the others are warm.
 */
type Aims = 'Switch' | 'Clear' | 'Keep';

function nextAims(slots: readonly Slot[], { raise, incomplete, names }: AddedContext): Aims {
  if (raise || (!incomplete && slots.every(onlyShrinks))) return 'Switch';
  return slots.some((slot) => !isArmed(slot.view.rule) && !isReady(slot, names)) ? 'Clear' : 'Keep';
}

function nextRule({ view, wanted }: Slot, aims: Aims, { raise, remove, names, neverValue }: AddedContext): RouteRule {
  const { rule } = view;
  if (isArmed(rule)) {
    if (wanted && raise) return wanted.rule;
    // Another rule may take the place of an armed one only when no gateway aims that any more.
    return wanted && remove ? rearm(rule, wanted.rule, neverValue) : rule;
  }
  if (aims === 'Clear' || (aims === 'Switch' && !wanted)) return arm(withMirror(rule, undefined, names), neverValue);
  if (!wanted) return rule;
  if (raise) return wanted.rule;
  return noMoreThanNow(view, aims === 'Switch' ? wanted.rule : rule, wanted.rule, names);
}

/** The wanted rule, armed as the one that stands there is. */
const rearm = (now: RouteRule, wanted: RouteRule, neverValue: string): RouteRule =>
  arm(wanted, armedValue(now) ?? neverValue);

const onlyShrinks = ({ view, wanted }: Slot): boolean =>
  !wanted || (!isArmed(view.rule) && matchesAll(view.rule, wanted.rule));
