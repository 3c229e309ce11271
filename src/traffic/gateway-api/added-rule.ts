import type { WeightBp } from '../../base/units.ts';
import { isPair, type Names, type PairView, viewRule } from './find-rules.ts';
import type { BackendRef, RouteFilter, RouteMatch, RouteRule } from './http-route.ts';
import { withMirror } from './mirror.ts';
import { type Conditions, refine } from './refine.ts';
import { split } from './split.ts';

/** A rule that Sluice appends to refine the user's rule `from`, as it is when aimed. */
export interface AddedRule {
  readonly from: number;
  readonly rule: RouteRule;
  /** Index of the first way that it serves: 0 for the oldest. */
  readonly way: number;
  /** For each match of `rule`, the match of rule `from` that it narrows. */
  readonly narrows: readonly RouteMatch[];
}

interface Wanted {
  readonly from: number;
  /** The user's rule with both helpers; all that it says beside name, matches and weights is copied. */
  readonly base: RouteRule;
  readonly matches: readonly RouteMatch[];
  /** Each way by itself: the matches narrowed by its first stage, and those narrowed by the second as well, and so on. */
  readonly ways: readonly (readonly Conditions[])[];
  readonly canaryBp: WeightBp;
  readonly mirror?: RouteFilter;
}

/** The rules to append: one, or none when no match can hold, or one a match where Gateway API asks for that. */
export function addedRules({ from, base, matches, ways, canaryBp, mirror }: Wanted, names: Names): AddedRule[] {
  const pairs = ways.flatMap((stages, way) =>
    matches.flatMap((wide) => narrowings(wide, stages).map((narrow) => ({ wide, narrow, way }))),
  );
  if (pairs.length === 0) return [];
  const { name: _, ...unnamed } = base;
  const rule = withMirror({ ...unnamed, backendRefs: canaryFirst(base, canaryBp, names) }, mirror, names);
  // A replaced path prefix is allowed only in a rule of exactly one match (validation of HTTPRouteRule).
  const groups = replacesPrefix(base) ? pairs.map((pair) => [pair]) : [pairs];
  return groups.map((group) => ({
    from,
    way: Math.min(...group.map(({ way }) => way)),
    rule: { ...rule, matches: group.map(({ narrow }) => narrow) },
    narrows: group.map(({ wide }) => wide),
  }));
}

/** The view of a rule that is known to send to the helpers. */
export function pairOf(rule: RouteRule, index: number, names: Names): PairView {
  const view = viewRule(rule, index, names);
  if (!isPair(view)) throw new Error('a rule that was taken over sends to the helpers');
  return view;
}

function narrowings(wide: RouteMatch, stages: readonly Conditions[]): RouteMatch[] {
  const all = new Set<RouteMatch>();
  let narrow: readonly RouteMatch[] = [wide];
  for (const stage of stages) {
    narrow = refine(narrow, stage);
    for (const match of narrow) if (match !== wide) all.add(match);
  }
  return [...all];
}

/** The base's backends with the canary before stable: a mark of an appended rule. */
function canaryFirst(base: RouteRule, canaryBp: WeightBp, names: Names): BackendRef[] {
  const pair = pairOf(base, 0, names);
  const refs = [...(split(pair, canaryBp, names).backendRefs ?? [])];
  const [stable, canary] = [refs[pair.stableAt], refs[pair.canaryAt]];
  if (stable && canary) [refs[pair.stableAt], refs[pair.canaryAt]] = [canary, stable];
  return refs;
}

const replacesPrefix = (rule: RouteRule): boolean =>
  rule.filters?.some((filter) => filter.urlRewrite?.path?.replacePrefixMatch !== undefined) ?? false;
