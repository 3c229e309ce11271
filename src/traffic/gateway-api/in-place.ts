import { sameJson } from '../same-json.ts';
import type { AddedRule } from './added-rule.ts';
import type { Names } from './find-rules.ts';
import { matchesOf, type RouteRule } from './http-route.ts';
import { ourMirror, withMirror } from './mirror.ts';
import { refines } from './refine.ts';

/**
 * Whether a rule that is aimed may become the wanted one in place, as its backends are warm: they share a match, or narrow
 * the same rule of the user and differ in nothing but what they match and the weights.
 */
export function changesInPlace(now: RouteRule, wanted: AddedRule, names: Names): boolean {
  return (
    shareMatch(now, wanted.rule) || (areAlike(now, wanted.rule, names) && refines(now, { matches: wanted.narrows }))
  );
}

const shareMatch = (a: RouteRule, b: RouteRule): boolean =>
  matchesOf(a).some((match) => matchesOf(b).some((other) => sameJson(match, other)));

function areAlike(a: RouteRule, b: RouteRule, names: Names): boolean {
  const backends = (rule: RouteRule) => rule.backendRefs?.map((ref) => ({ ...ref, weight: 0 }));
  const rest = (rule: RouteRule) => ({
    ...withMirror(rule, undefined, names),
    matches: [],
    backendRefs: backends(rule),
  });
  return !!ourMirror(a, names) === !!ourMirror(b, names) && sameJson(rest(a), rest(b));
}
