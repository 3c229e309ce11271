import { FULL_WEIGHT_BP, type WeightBp } from '../../base/units.ts';
import { pairOf } from './added-rule.ts';
import type { Names, PairView } from './find-rules.ts';
import { type RouteFilter, type RouteRule, weightOf } from './http-route.ts';
import { mirroredBp, ourMirror, withMirror } from './mirror.ts';
import { split } from './split.ts';

/** What the canary gets of the pair's share; rounded down. */
export function canaryBpOf({ rule, canaryAt, share }: PairView): WeightBp {
  const canary = rule.backendRefs?.[canaryAt];
  return (canary && share > 0 ? Math.floor((weightOf(canary) * FULL_WEIGHT_BP) / share) : 0) as WeightBp;
}

/** `rule` with the canary's weight and mirror of `wanted`, but no more of either than the rule `view` has now. */
export function noMoreThanNow(view: PairView, rule: RouteRule, wanted: RouteRule, names: Names): RouteRule {
  const [now, then] = [canaryBpOf(view), canaryBpOf(pairOf(wanted, view.index, names))];
  const weighed = split(pairOf(rule, view.index, names), Math.min(now, then) as WeightBp, names);
  return withMirror(weighed, lesserMirror(view.rule, wanted, names), names);
}

function lesserMirror(now: RouteRule, wanted: RouteRule, names: Names): RouteFilter | undefined {
  const [before, after] = [ourMirror(now, names), ourMirror(wanted, names)];
  return mirroredBp(after) <= mirroredBp(before) ? after : before;
}
