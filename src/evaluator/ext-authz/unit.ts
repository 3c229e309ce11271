import { UNIT_COOKIE, type UnitSource } from '../../wire/per-user-routing.ts';

const MAX_UNIT_CHARS = 256;
const UNIT_BYTES = 16;
const YEAR_S = 365 * 86_400;

type Headers = ReadonlyMap<string, string>;

/** Who asks, by the first source that has a usable unit. */
export function unitOf(sources: readonly UnitSource[], headers: Headers): string | undefined {
  for (const { kind, name } of sources) {
    const unit = kind === 'header' ? headers.get(name)?.trim() : cookieOf(headers.get('cookie') ?? '', name);
    if (unit !== undefined && isUsable(unit) && (kind === 'header' || name !== UNIT_COOKIE || isMinted(unit)))
      return unit;
  }
  return undefined;
}

/**
 * The application gets the unit in a header and asks for flags by it: so it is only what every server reads alike from a header.
 * Anything else counts as absent.
 */
const isUsable = (unit: string): boolean => unit.length <= MAX_UNIT_CHARS && /^[!-~]([ -~]*[!-~])?$/.test(unit);

/** 128 bits in base64url: 22 characters, of which the last has two bits. */
const isMinted = (unit: string): boolean => /^[\w-]{21}[AQgw]$/.test(unit);

/** The value of a cookie as it was sent (RFC 6265 §5.4: `name=value; name=value`); of two of one name the first. */
export function cookieOf(header: string, name: string): string | undefined {
  const start = `${name}=`;
  for (let from = 0; from < header.length; ) {
    const semicolon = header.indexOf(';', from);
    const end = semicolon === -1 ? header.length : semicolon;
    while (header[from] === ' ' || header[from] === '\t') from++;
    if (header.startsWith(start, from)) return header.slice(from + start.length, end).trim();
    from = end + 1;
  }
  return undefined;
}

/** A new unit. `randomBytes` must be a source that nobody can guess. */
export const newUnit = (randomBytes: (count: number) => Buffer): string =>
  randomBytes(UNIT_BYTES).toString('base64url');

export const setCookieOf = (unit: string): string =>
  `${UNIT_COOKIE}=${unit}; Max-Age=${YEAR_S}; Path=/; Secure; HttpOnly; SameSite=Lax`;

/**
 * Whether a page is being opened, by a browser that would keep a cookie. Not what a page fetches: its requests come many at a
 * time and would each get another unit. Not frames: in those of other sites the cookie is not kept, and each request would be drawn anew.
 */
export function isNavigation(headers: Headers): boolean {
  const mode = headers.get('sec-fetch-mode');
  if (mode === undefined) return headers.get('accept')?.toLowerCase().includes('text/html') ?? false;
  return mode === 'navigate' && (headers.get('sec-fetch-dest') ?? 'document') === 'document';
}
