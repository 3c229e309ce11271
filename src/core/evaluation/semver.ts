/** A version of Semantic Versioning 2.0.0, ready to be compared. Build metadata has no part in order. */
export interface Version {
  /** Major, minor, patch as digits: they may be longer than a number holds. */
  readonly core: readonly string[];
  readonly prerelease: readonly string[];
}

const NUMBER = '(0|[1-9]\\d*)';
const FORM = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-([0-9A-Za-z.-]+))?(?:\\+([0-9A-Za-z.-]+))?$`);
const IDENTIFIER = /^(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)$/;
const MAX_CHARS = 256;

/** Undefined for anything but a full version: no leading v, no missing parts (semver.org §2, §9, §10). */
export function parseVersion(text: string): Version | undefined {
  if (text.length > MAX_CHARS) return undefined;
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const prerelease = match[4]?.split('.') ?? [];
  if (!prerelease.every((identifier) => IDENTIFIER.test(identifier))) return undefined;
  if (match[5]?.split('.').includes('')) return undefined;
  return { core: match.slice(1, 4) as string[], prerelease };
}

/** Below 0 when `one` comes before `other`, 0 for equal precedence (semver.org §11). */
export function compareVersions(one: Version, other: Version): number {
  const byCore = compareLists(one.core, other.core);
  if (byCore !== 0) return byCore;
  // A version with a pre-release comes before the same one without.
  if (one.prerelease.length === 0 || other.prerelease.length === 0) {
    return other.prerelease.length - one.prerelease.length;
  }
  return compareLists(one.prerelease, other.prerelease);
}

function compareLists(one: readonly string[], other: readonly string[]): number {
  for (let index = 0; index < Math.min(one.length, other.length); index++) {
    const order = compareIdentifiers(one[index] as string, other[index] as string);
    if (order !== 0) return order;
  }
  return one.length - other.length;
}

const DIGITS = /^\d+$/;

function compareIdentifiers(one: string, other: string): number {
  const areNumeric = [DIGITS.test(one), DIGITS.test(other)] as const;
  if (areNumeric[0] !== areNumeric[1]) return areNumeric[0] ? -1 : 1;
  // No leading zeros: the longer number is the larger one.
  if (areNumeric[0] && one.length !== other.length) return one.length - other.length;
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
