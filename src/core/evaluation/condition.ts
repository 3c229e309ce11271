import type { Condition, TimeWindow } from '../../wire/condition.ts';
import { compileComparison } from './comparison.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { conjunction, disjunction, negation, type Test, truthOf, UNKNOWN } from './truth.ts';

/** A problem with a part of a flag: it compiles to something that never matches. */
export type Report = (path: readonly PropertyKey[], message: string) => void;

/** A test and how many comparisons it makes at most. */
export interface Compiled {
  readonly test: Test;
  readonly cost: number;
}

/** Segments that are used in each other, again and again, must not make one evaluation endless. */
export const MAX_COST = 10_000;
/** Patterns of one flag: each may take some 10 ms to compile. */
export const MAX_PATTERNS = 64;

const unknown: Test = () => UNKNOWN;

/** What the conditions of one flag have in common. */
export interface Scope {
  readonly segments: Readonly<Record<string, Condition>>;
  readonly report: Report;
  /** Segments that were compiled, each once. */
  readonly done: Map<string, Compiled | 'InProgress'>;
  /** How many were compiled. */
  patterns: number;
}

/** For the conditions of a flag with these segments. */
export const scopeOf = (segments: Scope['segments'], report: Report): Scope => ({
  segments,
  report,
  done: new Map(),
  patterns: 0,
});

/** Compiles one condition. Never throws: what cannot be compiled is reported and stays unknown. */
export function compileCondition(scope: Scope, condition: Condition, path: readonly PropertyKey[]): Compiled {
  const compiled = compilePart(scope, condition, path);
  if (compiled.cost <= MAX_COST) return compiled;
  return unusable(scope, path, `takes more than ${MAX_COST} comparisons, with the segments in it`);
}

/** Looks at every segment, also at those that no rule uses. */
export function compileSegments(scope: Scope): void {
  for (const name of Object.keys(scope.segments)) compileSegment(scope, name, ['segments', name]);
}

function compilePart(scope: Scope, condition: Condition, path: readonly PropertyKey[]): Compiled {
  if ('all' in condition) return joined(conjunction, compileList(scope, condition.all, [...path, 'all']));
  if ('any' in condition) return joined(disjunction, compileList(scope, condition.any, [...path, 'any']));
  if ('not' in condition) {
    const { test, cost } = compilePart(scope, condition.not, [...path, 'not']);
    return { test: negation(test), cost: cost + 1 };
  }
  if ('segment' in condition) return compileSegment(scope, condition.segment, [...path, 'segment']);
  if ('time' in condition) return compileTime(scope, condition.time, [...path, 'time']);
  if (condition.op === 'matches' && ++scope.patterns > MAX_PATTERNS)
    return unusable(scope, [...path, 'value'], `is one pattern too many: a flag has at most ${MAX_PATTERNS}`);
  const test = compileComparison(condition);
  return typeof test === 'function' ? { test, cost: 1 } : unusable(scope, [...path, 'value'], test.unusable);
}

function compileList(
  scope: Scope,
  conditions: readonly Condition[],
  path: readonly PropertyKey[],
): readonly Compiled[] {
  return conditions.map((one, index) => compilePart(scope, one, [...path, index]));
}

function compileSegment(scope: Scope, name: string, path: readonly PropertyKey[]): Compiled {
  const done = scope.done.get(name);
  if (done === 'InProgress') return unusable(scope, path, `is in a cycle of segments: ${name}`);
  if (done !== undefined) return done;
  const segment = Object.hasOwn(scope.segments, name) ? scope.segments[name] : undefined;
  if (segment === undefined) return unusable(scope, path, `names no segment of this flag: ${name}`);
  scope.done.set(name, 'InProgress');
  const compiled = compileCondition(scope, segment, ['segments', name]);
  scope.done.set(name, compiled);
  return compiled;
}

function compileTime(scope: Scope, window: TimeWindow, path: readonly PropertyKey[]): Compiled {
  const after = window.after === undefined ? Number.NEGATIVE_INFINITY : parseRfc3339(window.after);
  const before = window.before === undefined ? Number.POSITIVE_INFINITY : parseRfc3339(window.before);
  if (after === undefined || before === undefined) return unusable(scope, path, 'has no RFC 3339 time');
  return { test: (_, nowMs) => truthOf(nowMs >= after && nowMs < before), cost: 1 };
}

function unusable(scope: Scope, path: readonly PropertyKey[], message: string): Compiled {
  scope.report(path, message);
  return { test: unknown, cost: 1 };
}

function joined(join: (tests: readonly Test[]) => Test, parts: readonly Compiled[]): Compiled {
  return {
    test: join(parts.map(({ test }) => test)),
    cost: parts.reduce((sum, { cost }) => sum + cost, 1),
  };
}
