import { matchesOf, type RouteMatch, type RouteRule, type ValueMatch } from './http-route.ts';

/**
 * An appended rule is first *armed*: every match carries a header value that nobody can send, so that the gateway warms the
 * rule's backends before any request meets them. Aiming takes the header away; removal goes the other way round.
 */
export const NEVER_HEADER = 'x-sluice-never';

export function arm(rule: RouteRule, neverValue: string): RouteRule {
  const never: ValueMatch = { name: NEVER_HEADER, value: neverValue, type: 'Exact' };
  return {
    ...rule,
    matches: matchesOf(rule).map((match) => ({ ...match, headers: [...(match.headers ?? []), never] })),
  };
}

export const isArmed = (rule: RouteRule): boolean =>
  matchesOf(rule).every((match) => neverValueOf(match) !== undefined);

/** The rule as it is when aimed. */
const _aimed = (rule: RouteRule): RouteRule => ({ ...rule, matches: matchesOf(rule).map(withoutNever) });

/** The random value in an armed rule. */
export function armedValue(rule: RouteRule): string | undefined {
  return matchesOf(rule)
    .map(neverValueOf)
    .find((value) => value !== undefined);
}

function neverValueOf(match: RouteMatch): string | undefined {
  return match.headers?.find((header) => header.name.toLowerCase() === NEVER_HEADER)?.value;
}

function withoutNever(match: RouteMatch): RouteMatch {
  const headers = match.headers?.filter((header) => header.name.toLowerCase() !== NEVER_HEADER) ?? [];
  if (headers.length > 0) return { ...match, headers };
  const { headers: _, ...rest } = match;
  return rest;
}
