import type { HashName } from '../../wire/draw.ts';
import { wireProblems } from '../../wire/ruleset.ts';
import { eachFlag } from '../each-flag.ts';
import {
  type AdmissionSpec,
  type ConditionSpec,
  type FlagSpec,
  type Imported,
  placed,
  Refusal,
  type RuleSpec,
} from '../imported.ts';
import { conditionOf } from './condition.ts';
import { type Feature, payloadSchema, type Rule, type SavedGroups } from './features.ts';
import { bucketAbove, bucketsOf, firstBucket, namespaceSalt, type ShareRange, variationRanges } from './ranges.ts';

/** They change who gets what, and have no counterpart. */
const REFUSED_FIELDS = ['parentConditions', 'fallbackAttribute', 'scheduleRules', 'contextualVariations'] as const;
const DEFAULT_ATTRIBUTE = 'id';

/**
 * Features of GrowthBook as FeatureFlags that keep every user's variant, drawn with `growthbook/1` or `growthbook/2`.
 * Takes what GET /api/features/KEY answers. Stored sticky assignments are not in that file and are not kept.
 */
export function importGrowthbook(document: unknown): Imported {
  const parsed = payloadSchema.safeParse(document);
  if (!parsed.success) return { flags: [], refused: wireProblems(parsed.error), notes: [] };
  const { features, savedGroups, encryptedFeatures } = parsed.data;
  if (encryptedFeatures && Object.keys(features).length === 0) {
    const message = 'are encrypted: get the features with an SDK connection that does not encrypt them';
    return { flags: [], refused: [{ path: 'encryptedFeatures', message }], notes: [] };
  }
  return eachFlag(
    Object.entries(features).map(([key, feature]) => ({
      key,
      path: ['features', key],
      convert: () => flagOf(key, feature, savedGroups ?? {}),
    })),
  );
}

type Json = FlagSpec['variants'][string];

/** Names for values; equal values have one. */
interface VariantNames {
  nameOf(value: unknown, path: readonly PropertyKey[]): string;
  /** All of one type, or a Refusal. */
  spec(): Pick<FlagSpec, 'type' | 'variants'>;
}

function variantNames(): VariantNames {
  const names = new Map<string, string>();
  const values = new Map<string, Json>();
  return {
    nameOf: (value, path) => {
      const text = JSON.stringify(value);
      const type = value === null || Array.isArray(value) ? 'other' : typeof value;
      if (!['boolean', 'string', 'number', 'object'].includes(type)) {
        throw new Refusal(path, 'is no boolean, text, number or object');
      }
      const name = names.get(text) ?? (typeof value === 'boolean' ? (value ? 'on' : 'off') : `v${names.size}`);
      names.set(text, name);
      values.set(name, value as Json);
      return name;
    },
    spec: () => {
      const types = new Set([...values.values()].map((value) => typeof value));
      const [type] = types;
      if (types.size !== 1) throw new Refusal([], `has values of several types: ${[...types].join(', ')}`);
      return { type: type as FlagSpec['type'], variants: Object.fromEntries(values) };
    },
  };
}

function flagOf(key: string, feature: Feature, groups: SavedGroups): FlagSpec {
  const names = variantNames();
  const defaultVariant = names.nameOf(feature.defaultValue, ['defaultValue']);
  const rules = (feature.rules ?? []).flatMap((rule, index) => {
    const path = ['rules', index] as const;
    const id = `${index + 1}${rule.id ? `-${rule.id}` : ''}`.slice(0, 128);
    return ruleOf({ key, rule, id, path, names, groups }) ?? [];
  });
  const isExperiment = (feature.rules ?? []).some(({ variations }) => variations != null);
  return {
    key,
    purpose: isExperiment ? 'Experiment' : 'Release',
    ...names.spec(),
    offVariant: defaultVariant,
    defaultVariant,
    rules,
  };
}

interface Place {
  readonly key: string;
  readonly rule: Rule;
  readonly id: string;
  readonly path: readonly PropertyKey[];
  readonly names: VariantNames;
  readonly groups: SavedGroups;
}

/** Undefined for a rule that does nothing there either. */
function ruleOf({ key, rule, id, path, names, groups }: Place): RuleSpec | undefined {
  const field = REFUSED_FIELDS.find((name) => isGiven(rule[name]));
  if (field !== undefined) throw new Refusal([...path, field], `${field} has no counterpart`);
  if (rule.meta?.some((one) => one.passthrough)) throw new Refusal([...path, 'meta'], 'passthrough has no counterpart');
  const isForce = rule.force !== undefined;
  if (!isForce && rule.variations == null) return undefined;
  const drawing = drawingOf(key, rule, path);
  const parts = isForce ? forced(rule, drawing, names, path) : split(rule, drawing, names, path);
  const admissions = [...filters(rule, drawing, isForce, path), ...parts.admissions];
  const conditions: ConditionSpec[] = [
    ...(rule.condition ? [placed(path, () => conditionOf(rule.condition ?? {}, groups))] : []),
    // A user without the attribute goes on to the next rule there.
    ...[
      ...new Set([...admissions.map(({ unit }) => unit as string), ...(parts.serve.unit ? [parts.serve.unit] : [])]),
    ].map((attr): ConditionSpec => ({ attr, op: 'exists' })),
  ];
  return {
    id,
    ...(conditions.length > 0 && { when: { all: conditions } }),
    ...(admissions.length > 0 && { admissions }),
    serve: parts.serve,
  };
}

const isGiven = (value: unknown) => value != null && !(Array.isArray(value) && value.length === 0);

interface Drawing {
  readonly unit: string;
  readonly hash: HashName;
  readonly salt: string;
}

function drawingOf(
  key: string,
  { hashAttribute, hashVersion, seed, key: experiment, force }: Rule,
  path: readonly PropertyKey[],
): Drawing {
  const salt = seed || (force === undefined && experiment) || key;
  return { unit: hashAttribute || DEFAULT_ATTRIBUTE, hash: hashOf(hashVersion ?? 1, [...path, 'hashVersion']), salt };
}

function hashOf(version: number, path: readonly PropertyKey[]): HashName {
  if (version === 1) return 'growthbook/1';
  if (version === 2) return 'growthbook/2';
  throw new Refusal(path, `there is no hash version ${version}`);
}

interface Parts {
  readonly admissions: readonly AdmissionSpec[];
  readonly serve: RuleSpec['serve'];
}

/** A fixed value, for a share of the users where one is given: up to and with the coverage. */
function forced(
  { force, coverage, range }: Rule,
  drawing: Drawing,
  names: VariantNames,
  path: readonly PropertyKey[],
): Parts {
  const serve = { variant: names.nameOf(force, [...path, 'force']) };
  if (range == null && coverage == null) return { admissions: [], serve };
  const buckets = range != null ? bucketsOf(range) : { from: 0, to: coverage ? bucketAbove(coverage) : 0 };
  return { admissions: [admission(drawing, [buckets])], serve };
}

/** An experiment: who is in the covered part of any variation takes part, and has that variation. */
function split(rule: Rule, drawing: Drawing, names: VariantNames, path: readonly PropertyKey[]): Parts {
  const variations = (rule.variations ?? []).map((value, index) => names.nameOf(value, [...path, 'variations', index]));
  const ranges = rule.ranges ?? variationRanges(variations.length, rule.coverage ?? 1, rule.weights);
  const isAscending = ranges.every(([from, to], index) => from <= to && (ranges[index + 1]?.[0] ?? to) >= to);
  if (ranges.length !== variations.length || !isAscending)
    throw new Refusal([...path, 'ranges'], 'do not follow each other');
  const starts = [...ranges.slice(1).map(([from]) => firstBucket(from)), 10_000];
  const arms = merged(
    variations.map((variant, index) => ({ variant, weight: (starts[index] as number) - (starts[index - 1] ?? 0) })),
  );
  const [only] = arms;
  const admissions = coversAll(ranges) ? [] : [admission(drawing, ranges.map(bucketsOf))];
  if (only !== undefined && arms.length === 1)
    return { admissions: [admission(drawing, ranges.map(bucketsOf))], serve: { variant: only.variant } };
  return { admissions, serve: { split: arms, ...drawing } };
}

/** A split names each variant once; variations of equal value must be neighbours to be one arm. */
function merged(arms: readonly { variant: string; weight: number }[]): { variant: string; weight: number }[] {
  const result: { variant: string; weight: number }[] = [];
  for (const arm of arms) {
    const last = result.at(-1);
    if (last?.variant === arm.variant) last.weight += arm.weight;
    else result.push({ ...arm });
  }
  const isRepeated = new Set(result.map(({ variant }) => variant)).size < result.length;
  if (isRepeated) throw new Refusal([], 'has variations of equal value that are no neighbours');
  return result;
}

function coversAll(ranges: readonly ShareRange[]): boolean {
  const buckets = ranges.map(bucketsOf);
  return buckets.every(({ to }, index) => to === (buckets[index + 1]?.from ?? 10_000)) && buckets[0]?.from === 0;
}

/** Mutual exclusion: filters, else the namespace, which only experiments have. */
function filters(
  { filters: given, namespace }: Rule,
  { unit }: Drawing,
  isForce: boolean,
  path: readonly PropertyKey[],
): AdmissionSpec[] {
  if (given?.length) {
    return given.map(({ attribute, seed, hashVersion, ranges }, index) => {
      const hash = hashOf(hashVersion ?? 2, [...path, 'filters', index, 'hashVersion']);
      return admission({ unit: attribute || DEFAULT_ATTRIBUTE, hash, salt: seed }, ranges.map(bucketsOf));
    });
  }
  if (isForce || namespace == null) return [];
  const [id, from, to] = namespace;
  return [admission({ unit, hash: 'growthbook/1', salt: namespaceSalt(id) }, [bucketsOf([from, to])])];
}

function admission(drawing: Drawing, ranges: readonly { from: number; to: number }[]): AdmissionSpec {
  const filled = ranges.filter(({ from, to }) => from < to);
  return filled.length === 0 ? { percent: 0, ...drawing } : { ranges: filled, ...drawing };
}
