import type { Shadow } from '../../core/rollout/route-plan.ts';
import { type Names, refersTo } from './find-rules.ts';
import { matchesOf, type RouteFilter, type RouteMatch, type RouteRule } from './http-route.ts';

/** Where the mirror of one rule goes. */
export type MirrorPlace =
  | { readonly kind: 'None' }
  /** On the rule itself: all that it takes is mirrored. */
  | { readonly kind: 'OnRule' }
  /** On an appended rule for the listed methods, which takes these of the rule's matches. */
  | { readonly kind: 'Appended'; readonly matches: readonly RouteMatch[] }
  /** Matches with a listed method stand beside others: a rule for the first cannot be made more specific. */
  | { readonly kind: 'Mixed' };

/** RFC 9110 and 5789: those that Gateway API knows. */
const ALL_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

export function placeMirror(rule: RouteRule, methods: readonly string[]): MirrorPlace {
  if (ALL_METHODS.every((method) => methods.includes(method))) return { kind: 'OnRule' };
  const matches = matchesOf(rule);
  const open = matches.filter((match) => match.method === undefined);
  const listed = matches.filter((match) => match.method !== undefined && methods.includes(match.method));
  if (listed.length === matches.length) return { kind: 'OnRule' };
  if (listed.length > 0) return { kind: 'Mixed' };
  return open.length > 0 ? { kind: 'Appended', matches: open } : { kind: 'None' };
}

/** The filter that sends a copy of `percent` (two decimals) of the requests to the canary. */
export function mirrorFilter(
  { percent }: Pick<Shadow, 'percent'>,
  canary: string,
  port: number | undefined,
): RouteFilter {
  const backendRef = { group: '', kind: 'Service', name: canary, ...(port === undefined ? {} : { port }) };
  const amount = Number.isInteger(percent)
    ? { percent }
    : { fraction: { numerator: Math.round(percent * 100), denominator: 10_000 } };
  return { type: 'RequestMirror', requestMirror: { backendRef, ...amount } };
}

export function isOurMirror(filter: RouteFilter, names: Names): boolean {
  return filter.requestMirror !== undefined && refersTo(filter.requestMirror.backendRef, names.services.canary, names);
}

export const ourMirror = (rule: RouteRule, names: Names): RouteFilter | undefined =>
  rule.filters?.find((filter) => isOurMirror(filter, names));

/** Whether a rule sends anything, or a copy of it, to a helper Service. */
export function usesHelpers(rule: RouteRule, names: Names): boolean {
  const { stable, canary } = names.services;
  const refs = rule.backendRefs ?? [];
  return refs.some((ref) => refersTo(ref, stable, names) || refersTo(ref, canary, names)) || !!ourMirror(rule, names);
}

/** The rule with exactly this mirror to the canary, last among its filters, or with none. */
export function withMirror(rule: RouteRule, mirror: RouteFilter | undefined, names: Names): RouteRule {
  const theirs = rule.filters?.filter((filter) => !isOurMirror(filter, names)) ?? [];
  const filters = mirror ? [...theirs, mirror] : theirs;
  if (filters.length > 0) return { ...rule, filters };
  const { filters: _, ...rest } = rule;
  return rest;
}

/** Basis points of requests that a filter mirrors. Neither percent nor fraction means all (HTTPRequestMirrorFilter). */
export function mirroredBp(filter: RouteFilter | undefined): number {
  if (!filter?.requestMirror) return 0;
  const { percent, fraction } = filter.requestMirror;
  if (fraction) return (fraction.numerator / (fraction.denominator ?? 100)) * 10_000;
  return (percent ?? 100) * 100;
}
