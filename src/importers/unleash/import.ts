import { wireProblems } from '../../wire/ruleset.ts';
import { eachFlag } from '../each-flag.ts';
import {
  type ConditionSpec,
  type FlagSpec,
  type Imported,
  NEVER,
  type Note,
  placed,
  type RuleSpec,
} from '../imported.ts';
import { constraintCondition } from './constraint.ts';
import { variantRules } from './serving.ts';
import { type Feature, type State, stateSchema } from './state.ts';
import { strategyAsk } from './strategy.ts';
import { type Values, valuesOf } from './variants.ts';

/**
 * Features of Unleash as FeatureFlags that keep every user's answer: their constraints, segments, strategies, variants and
 * dependencies, drawn with the hash `unleash/1`. Takes what GET /api/client/features answers.
 */
export function importUnleash(document: unknown): Imported {
  const parsed = stateSchema.safeParse(document);
  if (!parsed.success) return { flags: [], refused: wireProblems(parsed.error), notes: [] };
  const state = parsed.data;
  return eachFlag(
    state.features.map((feature, index) => ({
      key: feature.name,
      path: ['features', index],
      convert: (note) => flagOf(feature, state, note),
    })),
  );
}

function flagOf(feature: Feature, state: State, note: Note): FlagSpec {
  const values = valuesOf(feature);
  const prerequisites = prerequisitesOf(feature, state, note);
  const segments = segmentsOf(feature, state, note);
  const isOff = !feature.enabled || prerequisites === undefined;
  return {
    key: feature.name,
    purpose: purposeOf(feature),
    ...(feature.description && { description: feature.description }),
    type: values.type,
    variants: values.variants,
    offVariant: values.off,
    defaultVariant: values.off,
    ...(isOff && { killSwitch: true }),
    ...(prerequisites?.length && { prerequisites }),
    ...(Object.keys(segments).length > 0 && { segments }),
    rules: rulesOf(feature, values, note),
  };
}

function purposeOf({ type }: Feature): NonNullable<FlagSpec['purpose']> {
  const purposes = {
    experiment: 'Experiment',
    operational: 'Operational',
    'kill-switch': 'Operational',
    permission: 'Permission',
  } as const;
  return purposes[type as keyof typeof purposes] ?? 'Release';
}

/** Undefined when they can never be met: Unleash looks up one level, at parents that exist. */
function prerequisitesOf(feature: Feature, { features }: State, note: Note): FlagSpec['prerequisites'] | undefined {
  const prerequisites: NonNullable<FlagSpec['prerequisites']> = [];
  for (const [index, { feature: name, enabled, variants }] of (feature.dependencies ?? []).entries()) {
    const parent = features.find((one) => one.name === name);
    if (parent === undefined || parent.dependencies?.length) {
      note(
        ['dependencies', index],
        `${name} ${parent ? 'has a parent itself' : 'does not exist'}: the flag is off, as in Unleash`,
      );
      return undefined;
    }
    const values = valuesOf(parent);
    const wanted = enabled === false ? [values.off] : variantsOf(parent, values, variants ?? []);
    if (wanted.length === 0) {
      note(['dependencies', index], `${name} has none of these variants: the flag is off, as in Unleash`);
      return undefined;
    }
    prerequisites.push({ flag: name, variants: wanted });
  }
  return prerequisites;
}

/** What an enabled parent may serve: any variant, or those named, where `disabled` is being on without one. */
function variantsOf(parent: Feature, values: Values, named: readonly string[]): string[] {
  const own = [...(parent.variants ?? []), ...(parent.strategies ?? []).flatMap(({ variants }) => variants ?? [])];
  if (named.length === 0) return Object.keys(values.variants).filter((name) => name !== values.off);
  const wanted = own.filter(({ name }) => named.includes(name)).map(values.nameOf);
  return [...new Set([...wanted, ...(named.includes('disabled') ? [values.on] : [])])];
}

function segmentsOf(feature: Feature, state: State, note: Note): NonNullable<FlagSpec['segments']> {
  const ids = new Set((feature.strategies ?? []).flatMap(({ segments }) => segments ?? []));
  const entries = [...ids].map((id): [string, ConditionSpec] => {
    const segment = state.segments?.find((one) => one.id === id);
    if (segment === undefined) note(['strategies'], `there is no segment ${id}: never true`);
    return [
      `segment-${id}`,
      segment ? { all: segment.constraints.map((one) => constraintCondition(one, note)) } : NEVER,
    ];
  });
  return Object.fromEntries(entries);
}

/** Strategies are tried in order; a feature without any is on for everybody. */
function rulesOf(feature: Feature, values: Values, note: Note): RuleSpec[] {
  const strategies = (feature.strategies ?? []).filter(({ disabled }) => disabled !== true);
  if (strategies.length === 0 && !feature.strategies?.length) {
    return variantRules({ feature, values, id: 'everyone', strategy: undefined, note }, {});
  }
  return strategies.flatMap((strategy, index) => {
    const at = within(['strategies', index], note);
    return placed(['strategies', index], () => {
      const { conditions, admissions } = strategyAsk(strategy, feature.name, at);
      const all = [
        ...conditions,
        ...(strategy.segments ?? []).map((id): ConditionSpec => ({ segment: `segment-${id}` })),
        ...(strategy.constraints ?? []).map((one, inner) =>
          constraintCondition(one, within(['constraints', inner], at)),
        ),
      ];
      const matching = {
        ...(all.length > 0 && { when: { all } }),
        ...(admissions.length > 0 && { admissions: [...admissions] }),
      };
      return variantRules({ feature, values, id: `strategy-${index + 1}`, strategy, note: at }, matching);
    });
  });
}

const within =
  (path: readonly PropertyKey[], note: Note): Note =>
  (inner, message) =>
    note([...path, ...inner], message);
