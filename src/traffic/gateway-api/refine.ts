import { sameJson } from '../same-json.ts';
import { matchesOf, type RouteMatch, type RouteRule, type ValueMatch } from './http-route.ts';

/** Conditions that are added to every match of a rule: any of the methods, and all of the headers. */
export interface Conditions {
  readonly methods?: readonly string[];
  readonly headers?: readonly ValueMatch[];
}

/**
 * The rule's matches, each narrowed by the conditions; one per method where the match has none. Matches that can never
 * hold together with the conditions are left out.
 */
export function refine(matches: readonly RouteMatch[], { methods, headers }: Conditions): RouteMatch[] {
  return matches.flatMap((match) => {
    const narrowed = headers?.length ? { ...match, headers: [...(match.headers ?? []), ...headers] } : match;
    if (!methods) return [narrowed];
    if (match.method) return methods.includes(match.method) ? [narrowed] : [];
    return methods.map((method) => ({ ...narrowed, method }));
  });
}

/** Whether each match of `rule` narrows some match of `other`: what a rule that Sluice appended does. */
export function refines(rule: RouteRule, other: RouteRule): boolean {
  return matchesOf(rule).every((narrow) => matchesOf(other).some((wide) => isNarrower(narrow, wide)));
}

/** Header names are case-insensitive. */
export const sameHeader = (a: ValueMatch, b: ValueMatch): boolean => a.name.toLowerCase() === b.name.toLowerCase();

function isNarrower(narrow: RouteMatch, wide: RouteMatch): boolean {
  return (
    sameJson(narrow.path, wide.path) &&
    (wide.method === undefined || wide.method === narrow.method) &&
    includesAll(narrow.headers, wide.headers) &&
    includesAll(narrow.queryParams, wide.queryParams)
  );
}

function includesAll(many: readonly ValueMatch[] = [], few: readonly ValueMatch[] = []): boolean {
  return few.every((wanted) => many.some((item) => sameJson(item, wanted)));
}
