import { FULL_WEIGHT_BP } from '../../base/units.ts';
import type { Match, RoutePlan, Shadow } from '../../core/rollout/route-plan.ts';
import { type AddedRule, addedRules, pairOf } from './added-rule.ts';
import { type GatewayFacts, supports } from './capabilities.ts';
import { type Names, type PairView, refersTo, type UserView, viewRules } from './find-rules.ts';
import { whyNotAppend } from './goal-limits.ts';
import { matchesOf, type RouteRule } from './http-route.ts';
import { mirrorFilter, placeMirror, withMirror } from './mirror.ts';
import { type Conditions, sameHeader } from './refine.ts';
import { type Refusal, refuse } from './refusal.ts';
import { split, takeOver, whyNotSplit } from './split.ts';

export type SplitPlan = Extract<RoutePlan, { kind: 'Split' }>;

/** What the rules of a route are when they carry a plan. */
export interface Goal {
  readonly kind: 'Goal';
  /** The user's rules that send to the Service, by index. */
  readonly bases: ReadonlyMap<number, RouteRule>;
  readonly added: readonly AddedRule[];
}

/** The rules that carry `plan`, made from the rules as they stand at whatever point of the way. */
export function goalOf(
  rules: readonly RouteRule[],
  plan: SplitPlan,
  names: Names,
  gateways: readonly GatewayFacts[],
): Goal | Refusal {
  const own = viewRules(rules, names).filter((view) => view.kind !== 'Appended');
  const unable = whyNotCarried(plan, gateways);
  if (unable) return unable;

  const bases = new Map<number, RouteRule>();
  const [matchRules, mirrorRules]: [AddedRule[], AddedRule[]] = [[], []];
  for (const view of own) {
    if (view.kind === 'Theirs') continue;
    const carried = whyNotSplit(view, names) ?? carry(view as UserView | PairView, plan, names);
    if (carried.kind === 'Refused') return carried;
    bases.set(view.index, carried.base);
    matchRules.push(...carried.matchRules);
    mirrorRules.push(...carried.mirrorRules);
  }
  if (bases.size === 0) {
    return refuse('SLUICE_ROUTE_NO_RULE', `no rule sends to the Service ${names.services.user}`);
  }
  // Rules that were there before a way was added keep their places. A match stays longer than a shadow, and a rule that goes
  // must be the last.
  const added = [...matchRules.sort((a, b) => a.way - b.way), ...mirrorRules];
  const ownRules = new Map(own.map((view) => [view.index, bases.get(view.index) ?? view.rule]));
  return whyNotAppend(ownRules, added) ?? { kind: 'Goal', bases, added };
}

/** What the plan needs of the gateways. Refused on knowledge only, except for a share of mirrored requests. */
function whyNotCarried({ match, shadow }: SplitPlan, gateways: readonly GatewayFacts[]): Refusal | undefined {
  if (match?.methods && supports(gateways, 'HTTPRouteMethodMatching') === 'No') {
    return refuse('SLUICE_ROUTE_METHOD_MATCH_UNSUPPORTED', 'a gateway of this route cannot match on methods');
  }
  if (!shadow || shadow.percent === 0) return undefined;
  if (supports(gateways, 'HTTPRouteRequestMirror') === 'No') {
    return refuse('SLUICE_ROUTE_MIRROR_UNSUPPORTED', 'a gateway of this route cannot mirror requests');
  }
  const share = supports(gateways, 'HTTPRouteRequestPercentageMirror');
  if (shadow.percent === 100 || share === 'Yes') return undefined;
  const verb = share === 'No' ? 'cannot' : 'does not say that it can';
  return refuse('SLUICE_ROUTE_MIRROR_UNSUPPORTED', `a gateway of this route ${verb} mirror a share of requests`);
}

interface Carried {
  readonly kind: 'Carried';
  readonly base: RouteRule;
  readonly matchRules: readonly AddedRule[];
  readonly mirrorRules: readonly AddedRule[];
}

/** One rule of the user under the plan, with the rules that refine it. */
function carry(view: UserView | PairView, plan: SplitPlan, names: Names): Carried | Refusal {
  const from = view.index;
  const pair = view.kind === 'User' ? pairOf(takeOver(view, names), from, names) : view;
  const base = withMirror(split(pair, plan.canaryBp, names), undefined, names);
  const wanted = matchesIn(plan);
  const used = wanted.map((match) => usedHeader(base, match)).find((header) => header !== undefined);
  if (used) return refuse('SLUICE_ROUTE_MATCH_HEADER_USED', `rule ${from} already matches on the header ${used}`);

  const shadow = plan.shadow && plan.shadow.percent > 0 ? plan.shadow : undefined;
  const place = shadow ? placeMirror(base, shadow.methods) : undefined;
  if (place?.kind === 'Mixed') {
    return refuse('SLUICE_ROUTE_MIRROR_METHODS', `rule ${from} has matches with and without a mirrored method`);
  }
  const mirrored = place?.kind === 'Appended' ? shadow?.methods : undefined;
  const ways = wanted.map((match) => matchStages(match, mirrored));
  const matchRules = addedRules({ from, base, matches: matchesOf(base), ways, canaryBp: FULL_WEIGHT_BP }, names);
  if (!shadow || !place || place.kind === 'None') return { kind: 'Carried', base, matchRules, mirrorRules: [] };

  const mirror = mirrorFilter(shadow, names.services.canary, canaryPort(base, names));
  if (place.kind === 'OnRule') {
    return { kind: 'Carried', base: withMirror(base, mirror, names), matchRules, mirrorRules: [] };
  }
  const { canaryBp } = plan;
  const byMethod = { from, base, matches: place.matches, ways: [[{ methods: shadow.methods }]], canaryBp, mirror };
  const mirrorRules = addedRules(byMethod, names);
  return { kind: 'Carried', base, matchRules, mirrorRules };
}

/**
 * All that goes to the canary whatever the weight, the oldest first. Where one rule can hold them all, a second is added to
 * the first without a moment in which either goes to stable.
 */
function matchesIn({ match, perUser }: SplitPlan): Match[] {
  const all = perUser?.isFirst ? [perUser.match, match] : [match, perUser?.match];
  return all.filter((one) => one !== undefined);
}

/**
 * A method outranks headers, so beside a mirror by method the matched requests are named by method as well; otherwise the
 * mirror's rule would take them away from the canary.
 */
function matchStages({ headers, methods }: Match, mirrored: Shadow['methods'] | undefined): Conditions[] {
  const own = {
    headers: headers.map(({ name, value, type }) => ({ name, value, type })),
    ...(methods ? { methods } : {}),
  };
  return mirrored ? [own, { methods: mirrored }] : [own];
}

const canaryPort = (rule: RouteRule, names: Names): number | undefined =>
  rule.backendRefs?.find((ref) => refersTo(ref, names.services.canary, names))?.port;

function usedHeader(rule: RouteRule, match: Match): string | undefined {
  const used = matchesOf(rule).flatMap((one) => one.headers ?? []);
  return match.headers.find((header) => used.some((other) => sameHeader(other, header)))?.name;
}
