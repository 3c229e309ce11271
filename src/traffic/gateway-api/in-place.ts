import { sameJson } from '../same-json.ts';
import type { AddedRule } from './added-rule.ts';
import type { Names } from './find-rules.ts';
import { matchesOf, type RouteRule } from './http-route.ts';
import { ourMirror, withMirror } from './mirror.ts';
import { refines } from './refine.ts';

/**
 * Whether a rule that is aimed may become the wanted one in place, as its backends are warm: it loses no match, or it narrows
 * the same rule of the user and differs in nothing but its matches and what share it mirrors. A gateway may bring weights
 * into effect before matches, so what a rule loses must not meet the wanted weights (docs/decisions/0130).
 */
export function changesInPlace(now: RouteRule, wanted: AddedRule, names: Names): boolean {
  return (
    matchesAll(wanted.rule, now) || (areAlike(now, wanted.rule, names) && refines(now, { matches: wanted.narrows }))
  );
}

/** Whether `rule` has every match of `other`. */
export const matchesAll = (rule: RouteRule, other: RouteRule): boolean =>
  matchesOf(other).every((match) => matchesOf(rule).some((own) => sameJson(own, match)));

function areAlike(a: RouteRule, b: RouteRule, names: Names): boolean {
  const rest = (rule: RouteRule) => ({ ...withMirror(rule, undefined, names), matches: [] });
  return !!ourMirror(a, names) === !!ourMirror(b, names) && sameJson(rest(a), rest(b));
}
