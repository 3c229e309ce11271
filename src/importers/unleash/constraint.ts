import { parseNetwork } from '../../core/evaluation/cidr.ts';
import { compilePattern } from '../../core/evaluation/pattern.ts';
import { parseRfc3339 } from '../../core/evaluation/rfc3339.ts';
import { parseVersion } from '../../core/evaluation/semver.ts';
import { type ConditionSpec, NEVER, type Note } from '../imported.ts';
import type { Constraint } from './state.ts';

type Convert = (constraint: Constraint, note: Note) => ConditionSpec;

/**
 * A constraint as a condition. In Unleash a value that is missing or cannot be read makes a constraint false before it is
 * inverted; here it is unknown, so inverted ones say "missing, or not".
 */
export function constraintCondition(constraint: Constraint, note: Note): ConditionSpec {
  const { contextName, operator } = constraint;
  const inverted = (operator === 'NOT_IN') !== (constraint.inverted ?? false);
  const convert = operators[operator];
  if (convert === undefined) {
    note(['operator'], `Unleash knows no operator ${operator}: never true`);
    return inverted ? { all: [] } : NEVER;
  }
  const condition = convert(constraint, note);
  return inverted ? unless(contextName, condition) : condition;
}

/** Not the condition, and true where the attribute is absent. */
function unless(attr: string, condition: ConditionSpec): ConditionSpec {
  const absent: ConditionSpec = { not: { attr, op: 'exists' } };
  return attr === CLOCK ? { not: condition } : { any: [absent, { not: condition }] };
}

/** In Unleash the clock is an attribute. */
const CLOCK = 'currentTime';

const operators: Readonly<Record<string, Convert>> = {
  IN: membership,
  NOT_IN: membership, // inverted above
  STR_STARTS_WITH: textPart('startsWith'),
  STR_ENDS_WITH: textPart('endsWith'),
  STR_CONTAINS: textPart('contains'),
  NUM_EQ: numberOrder('eq'),
  NUM_GT: numberOrder('gt'),
  NUM_GTE: numberOrder('ge'),
  NUM_LT: numberOrder('lt'),
  NUM_LTE: numberOrder('le'),
  DATE_AFTER: dateOrder('after'),
  DATE_BEFORE: dateOrder('before'),
  SEMVER_EQ: versionOrder('semverEq'),
  SEMVER_GT: versionOrder('semverGt'),
  SEMVER_GTE: versionOrder('semverGe'),
  SEMVER_LT: versionOrder('semverLt'),
  SEMVER_LTE: versionOrder('semverLe'),
  REGEX: pattern,
  IN_CIDR: network,
};

function membership({ contextName, values }: Constraint): ConditionSpec {
  return values?.length ? { attr: contextName, op: 'in', value: values } : NEVER;
}

function textPart(op: 'startsWith' | 'endsWith' | 'contains'): Convert {
  return ({ contextName: attr, values, caseInsensitive }) => ({
    any: (values ?? []).map((value) => ({ attr, op, value, ...(caseInsensitive && { ignoreCase: true }) })),
  });
}

function numberOrder(op: 'eq' | 'lt' | 'le' | 'gt' | 'ge'): Convert {
  return ({ contextName: attr, value }, note) => {
    const bound = Number(value?.trim() || Number.NaN);
    if (!Number.isFinite(bound)) return unreadable(note, 'number');
    note(['contextName'], `pass ${attr} as a number: text is never compared with numbers`);
    return { attr, op, value: bound };
  };
}

function dateOrder(op: 'before' | 'after'): Convert {
  return ({ contextName: attr, value }, note) => {
    const ms = parseRfc3339(value ?? '');
    if (ms === undefined) return unreadable(note, 'RFC 3339 time');
    if (attr !== CLOCK) return { attr, op, value: value as string };
    // Theirs begins after the millisecond, ours at it.
    return { time: op === 'before' ? { before: isoTime(ms) } : { after: isoTime(ms + 1) } };
  };
}

const isoTime = (ms: number) => new Date(ms).toISOString();

function versionOrder(op: 'semverEq' | 'semverLt' | 'semverLe' | 'semverGt' | 'semverGe'): Convert {
  return ({ contextName: attr, value }, note) => {
    if (value == null || parseVersion(value) === undefined) return unreadable(note, 'semantic version');
    return { attr, op, value };
  };
}

function pattern({ contextName: attr, value, caseInsensitive }: Constraint, note: Note): ConditionSpec {
  const text = `${caseInsensitive ? '(?i)' : ''}${value ?? ''}`;
  const compiled = compilePattern(text);
  if ('unusable' in compiled) {
    note(['value'], `${compiled.unusable}: never true`);
    return NEVER;
  }
  return { attr, op: 'matches', value: text };
}

function network({ contextName: attr, values }: Constraint, note: Note): ConditionSpec {
  return networkCondition(attr, values ?? [], note);
}

/** Entries that are no network are left out, as Unleash does. */
export function networkCondition(attr: string, texts: readonly string[], note: Note): ConditionSpec {
  const networks = texts.filter((text) => parseNetwork(text) !== undefined);
  if (networks.length < texts.length) note(['values'], 'entries that are no network were left out');
  return networks.length > 0 ? { attr, op: 'inCidr', value: networks } : NEVER;
}

function unreadable(note: Note, what: string): ConditionSpec {
  note(['value'], `is no ${what}: never true`);
  return NEVER;
}
