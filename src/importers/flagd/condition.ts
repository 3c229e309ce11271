import { parseVersion } from '../../core/evaluation/semver.ts';
import { type ConditionSpec, Refusal } from '../imported.ts';
import type { Evaluators } from './definition.ts';

const MAX_DEPTH = 12;

/** Where in the logic we are, and whether its opposite is looked for. */
export interface Scope {
  readonly evaluators: Evaluators;
  readonly path: readonly PropertyKey[];
  readonly isNegated: boolean;
}

/**
 * JSON logic that says yes or no as a condition: `and or ! == === != !== in < <= > >= starts_with ends_with sem_ver var $ref`
 * over one attribute and a value. Negations are driven in to the comparisons, where "absent" can be said. Throws a Refusal
 * for everything else.
 */
export function conditionOf(logic: unknown, scope: Scope): ConditionSpec {
  if (scope.path.length > 2 * MAX_DEPTH) throw new Refusal(scope.path, 'is nested too deep');
  if (typeof logic === 'boolean') return logic !== scope.isNegated ? { all: [] } : { any: [] };
  const [name, operand] = operationOf(logic, scope.path);
  const inside: Scope = { ...scope, path: [...scope.path, name] };
  switch (name) {
    case 'and':
    case 'or': {
      const parts = listOf(operand).map((one, index) => conditionOf(one, { ...inside, path: [...inside.path, index] }));
      return (name === 'and') !== scope.isNegated ? { all: parts } : { any: parts };
    }
    case '!':
      return conditionOf(listOf(operand)[0], { ...inside, isNegated: !scope.isNegated });
    case '!!':
      return conditionOf(listOf(operand)[0], inside);
    case '$ref':
      return conditionOf(evaluatorOf(operand, inside), inside);
    default:
      return comparison(name, operand, inside);
  }
}

/** An operation of JSON logic: an object with one name. Arguments may be given without a list where there is one. */
export function operationOf(logic: unknown, path: readonly PropertyKey[]): readonly [name: string, operand: unknown] {
  const entries = typeof logic === 'object' && logic !== null && !Array.isArray(logic) ? Object.entries(logic) : [];
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) throw new Refusal(path, 'is no operation with a counterpart');
  return entry;
}

export const listOf = (operand: unknown): readonly unknown[] => (Array.isArray(operand) ? operand : [operand]);

export function evaluatorOf(operand: unknown, { evaluators, path }: Scope): unknown {
  const name = String(operand);
  if (!Object.hasOwn(evaluators, name)) throw new Refusal(path, `names no evaluator of this file: ${name}`);
  return evaluators[name];
}

/** The attribute that `{ "var": NAME }` names. */
export function attributeOf(logic: unknown, path: readonly PropertyKey[]): string {
  const [name, operand] = operationOf(logic, path);
  const [attr, otherwise] = listOf(operand);
  if (name !== 'var' || typeof attr !== 'string' || attr === '' || otherwise !== undefined) {
    throw new Refusal(path, 'compares something else than an attribute');
  }
  if (attr.startsWith('$flagd.')) throw new Refusal(path, `${attr} has no counterpart here`);
  if (attr.includes('.')) throw new Refusal(path, 'attributes inside of attributes have no counterpart');
  return attr;
}

/** What is false there for an absent attribute is unknown here, so its opposite says so. */
function comparison(name: string, operand: unknown, { path, isNegated }: Scope): ConditionSpec {
  const args = listOf(operand);
  const isOpposite = name === '!=' || name === '!==';
  const isWanted = isOpposite === isNegated;
  const { attr, either, whenAbsent = false } = compared(isOpposite ? '==' : name, args, path);
  const absent: ConditionSpec[] = whenAbsent === isWanted ? [{ not: { attr, op: 'exists' } }] : [];
  // At most one of `either` fits the type of the attribute, and the others are unknown.
  const parts = [...absent, ...either.map((one) => (isWanted ? one : { not: one }))];
  return parts.length === 1 ? (parts[0] as ConditionSpec) : { any: parts };
}

interface Compared {
  readonly attr: string;
  /** One of these. */
  readonly either: readonly ConditionSpec[];
  /** What it says of an attribute that is absent; default: no. */
  readonly whenAbsent?: boolean;
}

const numberOrders = { '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' } as const;
const versionOrders = {
  '=': 'semverEq',
  '<': 'semverLt',
  '<=': 'semverLe',
  '>': 'semverGt',
  '>=': 'semverGe',
} as const;

function compared(name: string, args: readonly unknown[], path: readonly PropertyKey[]): Compared {
  const [first, second, third] = args;
  switch (name) {
    case '==':
    case '===': {
      // Either side may be the attribute.
      const [variable, value] = isScalar(first) ? [second, first] : [first, second];
      if (!isScalar(value)) break;
      const attr = attributeOf(variable, path);
      return { attr, either: [{ attr, op: 'eq', value }] };
    }
    case 'in':
      return membership(first, second, path);
    case 'starts_with':
    case 'ends_with': {
      if (typeof second !== 'string') break;
      const attr = attributeOf(first, path);
      return { attr, either: [{ attr, op: name === 'starts_with' ? 'startsWith' : 'endsWith', value: second }] };
    }
    case 'sem_ver': {
      const op = versionOrders[second as keyof typeof versionOrders];
      if (op === undefined || typeof third !== 'string' || parseVersion(third) === undefined) break;
      const attr = attributeOf(first, path);
      return { attr, either: [{ attr, op, value: third }] };
    }
    case '<':
    case '<=':
    case '>':
    case '>=': {
      if (typeof second !== 'number' || args.length !== 2) break;
      const attr = attributeOf(first, path);
      // Absent, it counts as 0 there.
      const ofZero = { '<': 0 < second, '<=': 0 <= second, '>': 0 > second, '>=': 0 >= second };
      return { attr, either: [{ attr, op: numberOrders[name], value: second }], whenAbsent: ofZero[name] };
    }
    default:
  }
  throw new Refusal(path, `${name} with these arguments has no counterpart`);
}

/** `in` looks for a text in an attribute of text, or for an attribute in a list. */
function membership(needle: unknown, place: unknown, path: readonly PropertyKey[]): Compared {
  if (Array.isArray(place) && place.length > 0 && place.every(isScalar)) {
    const attr = attributeOf(needle, path);
    return { attr, either: [{ attr, op: 'in', value: place }] };
  }
  if (typeof needle !== 'string') throw new Refusal(path, 'in with these arguments has no counterpart');
  const attr = attributeOf(place, path);
  const either: ConditionSpec[] = [
    { attr, op: 'contains', value: needle },
    { attr, op: 'anyOf', value: [needle] },
  ];
  return { attr, either };
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
