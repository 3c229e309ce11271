import type { RouteMatch, RouteRule } from '../../src/traffic/gateway-api/http-route.ts';
import { matchesOf, weightOf } from '../../src/traffic/gateway-api/http-route.ts';

export interface Request {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where a request goes. Shares are of 1. */
export interface Outcome {
  readonly shares: Readonly<Record<string, number>>;
  /** Percent of requests copied, by Service. */
  readonly mirrors: Readonly<Record<string, number>>;
  /** What the rule says beside name, matches and backends. */
  readonly treatment: string;
}

/** How a gateway orders the matches of one path: as Gateway API says, or as Envoy Gateway does. */
export type Gateway = 'bySpecification' | 'byHeaderCount';

/** What a gateway does with a request. Written apart from the router, from the text of the specification. */
export function send(rules: readonly RouteRule[], request: Request, gateway: Gateway): Outcome | undefined {
  const hits = rules.flatMap((rule, index) =>
    matchesOf(rule)
      .filter((match) => matchesRequest(match, request))
      .map((match) => ({ rule, index, rank: rank(match, gateway) })),
  );
  const [best] = hits.sort((a, b) => compare(b.rank, a.rank) || a.index - b.index);
  return best && outcome(best.rule);
}

function outcome(rule: RouteRule): Outcome {
  const { name: _, matches: __, backendRefs = [], filters = [], ...rest } = rule;
  const total = backendRefs.reduce((sum, ref) => sum + weightOf(ref), 0);
  const shares: Record<string, number> = {};
  for (const ref of backendRefs) shares[ref.name] = (shares[ref.name] ?? 0) + (total > 0 ? weightOf(ref) / total : 0);
  const mirrors: Record<string, number> = {};
  for (const { requestMirror: mirror } of filters) {
    if (!mirror) continue;
    const { percent, fraction } = mirror;
    mirrors[mirror.backendRef.name] = fraction
      ? (100 * fraction.numerator) / (fraction.denominator ?? 100)
      : (percent ?? 100);
  }
  const treatment = JSON.stringify([filters.filter(({ type }) => type !== 'RequestMirror'), rest]);
  return { shares, mirrors, treatment };
}

function matchesRequest({ path, method, headers = [] }: RouteMatch, request: Request): boolean {
  const value = path?.value ?? '/';
  const prefix = value.endsWith('/') ? value : `${value}/`;
  const pathHolds =
    path?.type === 'Exact' ? request.path === value : request.path === value || request.path.startsWith(prefix);
  if (!pathHolds || (method !== undefined && method !== request.method)) return false;
  return headers.every((header) => request.headers[header.name.toLowerCase()] === header.value);
}

function rank({ path, method, headers = [], queryParams = [] }: RouteMatch, gateway: Gateway): number[] {
  const pathRank = [path?.type === 'Exact' ? 1 : 0, (path?.value ?? '/').length];
  const byMethod = method === undefined ? 0 : 1;
  return gateway === 'bySpecification'
    ? [...pathRank, byMethod, headers.length, queryParams.length]
    : [...pathRank, byMethod + headers.length, queryParams.length];
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
