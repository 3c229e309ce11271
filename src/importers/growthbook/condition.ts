import { compilePattern } from '../../core/evaluation/pattern.ts';
import { parseVersion } from '../../core/evaluation/semver.ts';
import { type ConditionSpec, NEVER, Refusal } from '../imported.ts';
import type { SavedGroups } from './features.ts';

const ALWAYS: ConditionSpec = { all: [] };
const MAX_DEPTH = 12;

interface Scope {
  readonly groups: SavedGroups;
  readonly path: readonly PropertyKey[];
  /** What is looked for is the opposite: negations are driven in to the comparisons, where "absent" can be said. */
  readonly isNegated: boolean;
  readonly depth: number;
}

/** A condition of GrowthBook's in the language of MongoDB. Throws a Refusal for what it has and we have not. */
export function conditionOf(condition: Readonly<Record<string, unknown>>, groups: SavedGroups): ConditionSpec {
  return every(condition, { groups, path: ['condition'], isNegated: false, depth: 0 });
}

function every(condition: Readonly<Record<string, unknown>>, scope: Scope): ConditionSpec {
  if (scope.depth > MAX_DEPTH) throw new Refusal(scope.path, `is nested deeper than ${MAX_DEPTH} levels`);
  const parts = Object.entries(condition).map(([key, value]) => part(key, value, within(scope, key)));
  return joined(parts, scope.isNegated ? 'any' : 'all');
}

function part(key: string, value: unknown, scope: Scope): ConditionSpec {
  switch (key) {
    case '$and':
      return joined(list(value, scope), scope.isNegated ? 'any' : 'all');
    case '$or':
    case '$nor': {
      const negated = scope.isNegated !== (key === '$nor');
      const parts = list(value, { ...scope, isNegated: negated });
      // Theirs: any of nothing is true.
      if (parts.length === 0) return negated ? NEVER : ALWAYS;
      return joined(parts, negated ? 'all' : 'any');
    }
    case '$not':
      return every(objectOf(value, scope), { ...scope, isNegated: !scope.isNegated });
    default:
      if (key.includes('.')) throw new Refusal(scope.path, 'attributes inside of attributes have no counterpart');
      return attribute(key, value, scope);
  }
}

function list(value: unknown, scope: Scope): ConditionSpec[] {
  if (!Array.isArray(value)) throw new Refusal(scope.path, 'is no list');
  return value.map((one, index) => every(objectOf(one, scope), within(scope, index)));
}

function attribute(attr: string, value: unknown, scope: Scope): ConditionSpec {
  const isOperators =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).every((key) => key.startsWith('$'));
  if (!isOperators) return operator(attr, '$eq', value, scope);
  const parts = Object.entries(value).map(([name, operand]) => operator(attr, name, operand, within(scope, name)));
  return joined(parts, scope.isNegated ? 'any' : 'all');
}

/** Operators that are true where the one named here is not. */
const opposites: Readonly<Record<string, string>> = { $ne: '$eq', $nin: '$in', $notInGroup: '$inGroup', $vne: '$veq' };

function operator(attr: string, name: string, operand: unknown, scope: Scope): ConditionSpec {
  if (name === '$not') return attribute(attr, operand, { ...scope, isNegated: !scope.isNegated });
  if (name === '$exists' || (name === '$eq' && operand === null)) {
    const wanted = (name === '$exists' ? operand === true : false) !== scope.isNegated;
    return wanted ? { attr, op: 'exists' } : { not: { attr, op: 'exists' } };
  }
  const opposite = opposites[name];
  const isNegated = scope.isNegated !== (opposite !== undefined);
  const { either, whenAbsent = false } = comparisonOf(attr, opposite ?? name, operand, scope);
  const absent: ConditionSpec[] = whenAbsent !== isNegated ? [{ not: { attr, op: 'exists' } }] : [];
  // At most one of `either` fits the type of the attribute, and the others are unknown.
  return joined([...absent, ...either.map((one) => (isNegated ? { not: one } : one))], 'any');
}

const numberOrders = { $lt: 'lt', $lte: 'le', $gt: 'gt', $gte: 'ge' } as const;
const versionOrders = {
  $veq: 'semverEq',
  $vlt: 'semverLt',
  $vlte: 'semverLe',
  $vgt: 'semverGt',
  $vgte: 'semverGe',
} as const;

/** What an operator asks: one of these, and what it says of an attribute that is absent. */
interface Asked {
  readonly either: readonly ConditionSpec[];
  readonly whenAbsent?: boolean;
}

function comparisonOf(attr: string, name: string, operand: unknown, scope: Scope): Asked {
  if (name === '$eq' && isScalar(operand)) return { either: [{ attr, op: 'eq', value: operand }] };
  if (name === '$in') return isOneOf(attr, scalars(operand, scope));
  if (name === '$inGroup') return isOneOf(attr, groupOf(operand, scope));
  if (name === '$all') return { either: [{ attr, op: 'allOf', value: scalars(operand, scope) }] };
  if (name in numberOrders && typeof operand === 'number')
    return numberOrder(attr, name as keyof typeof numberOrders, operand);
  if (name in versionOrders && typeof operand === 'string' && parseVersion(operand) !== undefined) {
    const op = versionOrders[name as keyof typeof versionOrders];
    // Absent, it is a version below all others there.
    return { either: [{ attr, op, value: operand }], whenAbsent: op === 'semverLt' || op === 'semverLe' };
  }
  if ((name === '$regex' || name === '$regexi') && typeof operand === 'string') {
    const value = `${name === '$regexi' ? '(?i)' : ''}${operand}`;
    const compiled = compilePattern(value);
    if ('unusable' in compiled) throw new Refusal(scope.path, compiled.unusable);
    return { either: [{ attr, op: 'matches', value }] };
  }
  throw new Refusal(scope.path, `${name} with this value has no counterpart`);
}

/** Absent, it counts as 0 there. */
function numberOrder(attr: string, name: keyof typeof numberOrders, bound: number): Asked {
  const ofZero = { $lt: 0 < bound, $lte: 0 <= bound, $gt: 0 > bound, $gte: 0 >= bound };
  return { either: [{ attr, op: numberOrders[name], value: bound }], whenAbsent: ofZero[name] };
}

/** Their `$in` takes an attribute that is a list, too. */
function isOneOf(attr: string, values: (string | number | boolean)[]): Asked {
  if (values.length === 0) return { either: [NEVER] };
  return {
    either: [
      { attr, op: 'in', value: values },
      { attr, op: 'anyOf', value: values },
    ],
  };
}

function groupOf(operand: unknown, { groups, path }: Scope): (string | number | boolean)[] {
  const id = String(operand);
  if (!Object.hasOwn(groups, id)) throw new Refusal(path, `names no saved group of this file: ${id}`);
  return groups[id] as (string | number | boolean)[];
}

function scalars(operand: unknown, { path }: Scope): (string | number | boolean)[] {
  if (!Array.isArray(operand) || !operand.every(isScalar))
    throw new Refusal(path, 'is no list of texts, numbers and booleans');
  return operand;
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function objectOf(value: unknown, { path }: Scope): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal(path, 'is no condition');
  return value as Readonly<Record<string, unknown>>;
}

function joined(parts: readonly ConditionSpec[], how: 'all' | 'any'): ConditionSpec {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  return how === 'all' ? { all: [...parts] } : { any: [...parts] };
}

function within(scope: Scope, key: PropertyKey): Scope {
  return { ...scope, path: [...scope.path, key], depth: scope.depth + 1 };
}
