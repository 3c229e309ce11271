// What the operator, which writes the gateway's policies and routes, and the evaluator behind the gateway agree on.

/** Context extensions that the gateway sends with every check. */
export const ROLLOUT_EXTENSION = 'sluice-rollout';
export const UNITS_EXTENSION = 'sluice-units';

/** Request headers that the evaluator sets, and that nobody outside may. */
export const VARIANT_HEADER = 'x-sluice-variant';
export const UNIT_HEADER = 'x-sluice-unit';
/**
 * The revision whose canary a request is for, as the evaluator's ruleset has it: what the route matches on. So an evaluator that is behind
 * sends nobody to the canary of the next revision.
 */
export const REVISION_HEADER = 'x-sluice-revision';

/** The cookie that the evaluator mints. */
export const UNIT_COOKIE = 'sluice-unit';

/** Where a unit stands in a request. Names of headers are in lower case. */
export interface UnitSource {
  readonly kind: 'cookie' | 'header';
  readonly name: string;
}

export const MAX_UNIT_SOURCES = 8;
const MAX_NAME_CHARS = 128;

/** `cookie:sluice-unit,header:x-user-id`: where to look, in this order. Undefined where the text is no such list. Never throws. */
export function parseUnitSources(text: string): readonly UnitSource[] | undefined {
  if (text.length > MAX_UNIT_SOURCES * (MAX_NAME_CHARS + 10)) return undefined;
  const parts = text.split(',');
  if (parts.length > MAX_UNIT_SOURCES) return undefined;
  const sources: UnitSource[] = [];
  for (const part of parts) {
    // A token of RFC 9110 §5.6.2, which is what names of headers and of cookies are.
    const [, kind, name = ''] = /^\s*(cookie|header):([\w!#$%&'*+.^`|~-]+)\s*$/.exec(part) ?? [];
    if (kind === undefined || name.length > MAX_NAME_CHARS) return undefined;
    sources.push(kind === 'cookie' ? { kind, name } : { kind: 'header', name: name.toLowerCase() });
  }
  return sources;
}

export const unitSourcesText = (sources: readonly UnitSource[]): string =>
  sources.map(({ kind, name }) => `${kind}:${name}`).join(',');

/** Key of the flag that says who gets the canary. `rollout` is `<namespace>/<name>`. */
export const rolloutFlagKey = (rollout: string): string => `rollout/${rollout}`;
