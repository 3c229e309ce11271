import { unreachable } from '../../base/units.ts';
import type { Comparison, Scalar } from '../../wire/condition.ts';
import { isInNetwork, parseAddress, parseNetwork } from './cidr.ts';
import { compilePattern, MAX_MATCHED_CHARS } from './pattern.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { compareVersions, parseVersion } from './semver.ts';
import { type Test, type Truth, truthOf, UNKNOWN } from './truth.ts';

/** What is wrong with the value of a comparison. */
export interface Unusable {
  readonly unusable: string;
}

/** Judges one attribute; UNKNOWN for a value of the wrong type. Absent ones and null come as undefined or null. */
type Judge = (value: unknown) => Truth;

/** A comparison as a test, or why there is none. */
export function compileComparison(comparison: Comparison): Test | Unusable {
  const { attr } = comparison;
  if (comparison.op === 'exists') return existence(attr);
  const judge = judgeOf(comparison);
  if (typeof judge === 'object') return judge;
  return (context) => judge(context[attr]);
}

function existence(attr: string): Test {
  return (context) => {
    // Own, because the prototype has a member for names like `constructor`.
    return truthOf(Object.hasOwn(context, attr) && context[attr] !== undefined && context[attr] !== null);
  };
}

function judgeOf(comparison: Exclude<Comparison, { op: 'exists' }>): Judge | Unusable {
  switch (comparison.op) {
    case 'eq':
      return equality(comparison.value);
    case 'in':
      return membership(comparison.value);
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return numberOrder(comparison.op, comparison.value);
    case 'before':
    case 'after':
      return dateOrder(comparison.op, comparison.value);
    case 'semverEq':
    case 'semverLt':
    case 'semverLe':
    case 'semverGt':
    case 'semverGe':
      return versionOrder(comparison.op, comparison.value);
    case 'startsWith':
    case 'endsWith':
    case 'contains':
      return textPart(comparison.op, comparison.value, comparison.ignoreCase === true);
    case 'matches':
      return pattern(comparison.value);
    case 'inCidr':
      return network(comparison.value);
    case 'anyOf':
    case 'allOf':
    case 'noneOf':
      return arrayOverlap(comparison.op, comparison.value);
    default:
      return unreachable(comparison);
  }
}

function equality(expected: Scalar): Judge {
  return (value) => (isScalar(value) && typeof value === typeof expected ? truthOf(value === expected) : UNKNOWN);
}

/** Above this a set is faster than looking at each. */
const FEW = 8;

function membership(list: readonly Scalar[]): Judge {
  const types = new Set<string>(list.map((one) => typeof one));
  const known = list.length > FEW ? new Set<unknown>(list) : undefined;
  return (value) => {
    if (!isScalar(value) || (list.length > 0 && !types.has(typeof value))) return UNKNOWN;
    return truthOf(known === undefined ? list.includes(value) : known.has(value));
  };
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && !Number.isNaN(value));
}

function numberOrder(op: 'lt' | 'le' | 'gt' | 'ge', bound: number): Judge {
  const holds = orders[op];
  return (value) => (typeof value === 'number' && Number.isFinite(value) ? truthOf(holds(value - bound)) : UNKNOWN);
}

const orders = {
  lt: (difference: number) => difference < 0,
  le: (difference: number) => difference <= 0,
  eq: (difference: number) => difference === 0,
  gt: (difference: number) => difference > 0,
  ge: (difference: number) => difference >= 0,
};

function dateOrder(op: 'before' | 'after', text: string): Judge | Unusable {
  const bound = parseRfc3339(text);
  if (bound === undefined) return { unusable: 'is no RFC 3339 time' };
  return (value) => {
    const time = typeof value === 'string' ? parseRfc3339(value) : undefined;
    if (time === undefined) return UNKNOWN;
    return truthOf(op === 'before' ? time < bound : time > bound);
  };
}

const versionOrders = {
  semverEq: orders.eq,
  semverLt: orders.lt,
  semverLe: orders.le,
  semverGt: orders.gt,
  semverGe: orders.ge,
};

function versionOrder(op: keyof typeof versionOrders, text: string): Judge | Unusable {
  const bound = parseVersion(text);
  if (bound === undefined) return { unusable: 'is no semantic version like 1.2.3 or 1.2.3-rc.1' };
  const holds = versionOrders[op];
  return (value) => {
    const version = typeof value === 'string' ? parseVersion(value) : undefined;
    return version === undefined ? UNKNOWN : truthOf(holds(compareVersions(version, bound)));
  };
}

function textPart(op: 'startsWith' | 'endsWith' | 'contains', part: string, ignoreCase: boolean): Judge {
  const wanted = ignoreCase ? part.toLowerCase() : part;
  return (value) => {
    if (typeof value !== 'string') return UNKNOWN;
    const text = ignoreCase ? value.toLowerCase() : value;
    if (op === 'startsWith') return truthOf(text.startsWith(wanted));
    return truthOf(op === 'endsWith' ? text.endsWith(wanted) : text.includes(wanted));
  };
}

function pattern(text: string): Judge | Unusable {
  const compiled = compilePattern(text);
  if ('unusable' in compiled) return compiled;
  return (value) => {
    if (typeof value !== 'string' || value.length > MAX_MATCHED_CHARS) return UNKNOWN;
    return truthOf(compiled.isIn(value));
  };
}

function network(value: string | readonly string[]): Judge | Unusable {
  const texts = typeof value === 'string' ? [value] : value;
  const networks = texts.flatMap((text) => parseNetwork(text) ?? []);
  if (networks.length < texts.length)
    return { unusable: 'has an entry that is no network like 10.0.0.0/8 or 2001:db8::/32' };
  return (text) => {
    const address = typeof text === 'string' ? parseAddress(text) : undefined;
    if (address === undefined) return UNKNOWN;
    return truthOf(networks.some((one) => isInNetwork(address, one)));
  };
}

/** What the array of the context has in common with the list; its members of other kinds are in no list. */
function arrayOverlap(op: 'anyOf' | 'allOf' | 'noneOf', list: readonly Scalar[]): Judge {
  const wanted = new Set<unknown>(list);
  return (value) => {
    if (!Array.isArray(value)) return UNKNOWN;
    if (op === 'allOf') return truthOf(new Set(value.filter((one) => wanted.has(one))).size === wanted.size);
    const overlaps = value.some((one) => wanted.has(one));
    return truthOf(op === 'anyOf' ? overlaps : !overlaps);
  };
}
