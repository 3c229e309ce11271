import type { ConditionSpec, Note, RuleSpec } from '../imported.ts';
import type { Feature, Strategy, Variant } from './state.ts';
import { unitOf } from './strategy.ts';
import type { Values } from './variants.ts';

interface Serving {
  readonly feature: Feature;
  readonly values: Values;
  /** Of the rule; more rules of the same strategy add to it. */
  readonly id: string;
  readonly strategy: Strategy | undefined;
  readonly note: Note;
}

/** Whom a strategy takes. */
type Matching = Pick<RuleSpec, 'when' | 'admissions'>;

/** What those get whom a strategy takes: its variants, else the feature's with their overrides before, else being on. */
export function variantRules(serving: Serving, matching: Matching): RuleSpec[] {
  const { feature, values, id, strategy } = serving;
  if (strategy?.variants?.length) {
    const { groupId, stickiness } = strategy.parameters ?? {};
    return drawnRules(serving, matching, strategy.variants, {
      salt: String(groupId || feature.name),
      stickiness: String(stickiness || 'default'),
    });
  }
  const variants = feature.variants ?? [];
  if (variants.length === 0) return [{ id, ...matching, serve: { variant: values.on } }];
  const stickiness = variants[0]?.stickiness || 'default';
  return [
    ...overrideRules(serving, matching, variants),
    ...drawnRules(serving, matching, variants, { salt: feature.name, stickiness }),
  ];
}

function overrideRules({ values, id }: Serving, matching: Matching, variants: readonly Variant[]): RuleSpec[] {
  const overrides = variants.flatMap((variant) => (variant.overrides ?? []).map((one) => ({ variant, ...one })));
  return overrides
    .filter(({ values: listed }) => listed.length > 0)
    .map(({ variant, contextName, values: listed }, index) => ({
      id: `${id}-override-${index + 1}`,
      ...and(matching, { attr: contextName, op: 'in', value: listed }),
      serve: { variant: values.nameOf(variant) },
    }));
}

function drawnRules(
  { values, id, note }: Serving,
  matching: Matching,
  variants: readonly Variant[],
  { salt, stickiness }: { readonly salt: string; readonly stickiness: string },
): RuleSpec[] {
  const drawn = variants.filter(({ weight }) => weight > 0);
  const [first] = drawn;
  if (first === undefined) return [{ id, ...matching, serve: { variant: values.on } }];
  if (drawn.length === 1) return [{ id, ...matching, serve: { variant: values.nameOf(first) } }];
  const unit = unitOf(stickiness);
  const split = drawn.map((variant) => ({ variant: values.nameOf(variant), weight: variant.weight }));
  note([], `without ${unit}, Unleash draws at random at each call; here ${values.nameOf(first)} is served`);
  return [
    {
      id: `${id}-without-unit`,
      ...and(matching, { not: { attr: unit, op: 'exists' } }),
      serve: { variant: values.nameOf(first) },
    },
    { id, ...matching, serve: { split, unit, hash: 'unleash/1', salt } },
  ];
}

function and(matching: Matching, condition: ConditionSpec): Matching {
  return { ...matching, when: { all: [...(matching.when?.all ?? []), condition] } };
}
