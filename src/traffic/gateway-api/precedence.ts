import type { RouteMatch, ValueMatch } from './http-route.ts';
import { sameHeader } from './refine.ts';

/**
 * Which of two matches with the same path wins a request that both match: compared left to right, larger wins.
 * Gateway API orders by method, headers, query parameters (HTTPRouteRule.matches). Envoy Gateway 1.9 counts the method as
 * one more header, and exact matches before others. A rule that we add must be harmless under both.
 */
type Order = (match: RouteMatch) => readonly number[];

const bySpecification: Order = (match) => [
  match.method ? 1 : 0,
  match.headers?.length ?? 0,
  match.queryParams?.length ?? 0,
];

const byHeaderCount: Order = (match) => {
  const method = match.method ? 1 : 0;
  const { headers = [], queryParams = [] } = match;
  return [method + headers.length, method + exact(headers), queryParams.length, exact(queryParams)];
};

/** A match, and the place of its rule in the route: on a tie the earlier rule wins. */
export interface Placed {
  readonly match: RouteMatch;
  readonly ruleIndex: number;
}

/**
 * Whether `added`, a narrower form of `from`, may take requests that another rule of the user (`other`) wins today.
 * `alsoAdded` are the other added matches, which may protect `other`'s requests.
 */
export function mayTakeOver(added: Placed, from: Placed, other: Placed, alsoAdded: readonly Placed[]): boolean {
  if (!samePathRank(added.match, other.match) || areDisjoint(added.match, other.match)) return false;
  const protectors = [other, ...alsoAdded.filter((placed) => isImplied(placed.match, other.match, added.match))];
  return [bySpecification, byHeaderCount].some(
    (order) => wins(other, from, order) && !protectors.some((placed) => wins(placed, added, order)),
  );
}

function wins(a: Placed, b: Placed, order: Order): boolean {
  const [left, right] = [order(a.match), order(b.match)];
  for (let i = 0; i < left.length; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return a.ruleIndex < b.ruleIndex;
}

/** Paths rank by type and length before anything else. Regular expressions of one length may overlap; others may not. */
function samePathRank(a: RouteMatch, b: RouteMatch): boolean {
  const [left, right] = [pathOf(a), pathOf(b)];
  if (left.type !== right.type) return false;
  return left.type === 'RegularExpression' ? left.value.length === right.value.length : left.value === right.value;
}

function pathOf(match: RouteMatch): { readonly type: string; readonly value: string } {
  return { type: match.path?.type ?? 'PathPrefix', value: match.path?.value ?? '/' };
}

/** No request can match both. Only what is certain counts. */
function areDisjoint(a: RouteMatch, b: RouteMatch): boolean {
  if (a.method && b.method && a.method !== b.method) return true;
  return contradict(a.headers, b.headers, sameHeader) || contradict(a.queryParams, b.queryParams, sameName);
}

function contradict(
  a: readonly ValueMatch[] = [],
  b: readonly ValueMatch[] = [],
  same: (x: ValueMatch, y: ValueMatch) => boolean,
): boolean {
  return a.some((x) => b.some((y) => same(x, y) && isExact(x) && isExact(y) && x.value !== y.value));
}

/** Whether every request that matches both `a` and `b` matches `match`, which narrows `a`. */
function isImplied(match: RouteMatch, a: RouteMatch, b: RouteMatch): boolean {
  const within = (items: readonly ValueMatch[] = [], ...all: readonly (readonly ValueMatch[] | undefined)[]) =>
    items.every((item) =>
      all.some((list) =>
        list?.some((x) => sameHeader(x, item) && x.value === item.value && isExact(x) === isExact(item)),
      ),
    );
  return (
    samePathRank(match, a) &&
    pathOf(match).value === pathOf(a).value &&
    (match.method === undefined || match.method === a.method || match.method === b.method) &&
    within(match.headers, a.headers, b.headers) &&
    within(match.queryParams, a.queryParams, b.queryParams)
  );
}

const sameName = (a: ValueMatch, b: ValueMatch): boolean => a.name === b.name;
const isExact = (item: ValueMatch): boolean => (item.type ?? 'Exact') === 'Exact';
const exact = (items: readonly ValueMatch[]): number => items.filter(isExact).length;
