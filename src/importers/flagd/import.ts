import { jsonProblem } from '../../wire/json.ts';
import { LIMITS } from '../../wire/limits.ts';
import { wireProblems } from '../../wire/ruleset.ts';
import { eachFlag } from '../each-flag.ts';
import { type ConditionSpec, type FlagSpec, type Imported, Refusal, type RuleSpec } from '../imported.ts';
import { conditionOf, listOf, operationOf } from './condition.ts';
import { type Definition, documentSchema, type Evaluators } from './definition.ts';
import { fractionalOf } from './fractional.ts';

/**
 * Flags of flagd as FeatureFlags that keep every user's variant, drawn with `flagd/2`. Targeting is taken where it is a chain of
 * `if` that ends in variants and `fractional`; other JSON logic refuses the flag, by path.
 */
export function importFlagd(document: unknown): Imported {
  const unfit = jsonProblem(document, LIMITS.rulesetChars);
  if (unfit !== undefined) return { flags: [], refused: [unfit], notes: [] };
  const parsed = documentSchema.safeParse(document);
  if (!parsed.success) return { flags: [], refused: wireProblems(parsed.error), notes: [] };
  const { flags, $evaluators } = parsed.data;
  return eachFlag(
    Object.entries(flags).map(([key, definition]) => ({
      key,
      path: ['flags', key],
      convert: () => flagOf(key, definition, $evaluators ?? {}),
    })),
  );
}

function flagOf(
  key: string,
  { state, variants, defaultVariant, targeting }: Definition,
  evaluators: Evaluators,
): FlagSpec {
  if (defaultVariant == null)
    throw new Refusal(['defaultVariant'], 'is missing: a flag without one leaves the value to the application');
  const outcomes: Outcome[] = [];
  const isTargeted = typeof targeting === 'object' && targeting !== null && Object.keys(targeting).length > 0;
  const place: Place = { key, defaultVariant, evaluators, outcomes };
  if (isTargeted) collect(targeting, [], ['targeting'], place);
  const known = (name: string, path: readonly PropertyKey[]) => {
    if (!Object.hasOwn(variants, name)) throw new Refusal(path, `names no variant of this flag: ${name}`);
  };
  known(defaultVariant, ['defaultVariant']);
  for (const { path, names } of outcomes) for (const name of names) known(name, path);
  return {
    key,
    type: typeOf(variants),
    variants: variants as FlagSpec['variants'],
    offVariant: defaultVariant,
    defaultVariant,
    ...(state === 'DISABLED' && { enabled: false }),
    rules: outcomes.map(({ rule }, index) => ({ id: `rule-${index + 1}`, ...rule })),
  };
}

function typeOf(variants: Definition['variants']): FlagSpec['type'] {
  const types = new Set(
    Object.values(variants).map((value) => (value === null || Array.isArray(value) ? 'other' : typeof value)),
  );
  const [type] = types;
  if (types.size !== 1 || type === 'other')
    throw new Refusal(['variants'], 'are not all booleans, texts, numbers or objects');
  return type as FlagSpec['type'];
}

/** One way through the targeting. */
interface Outcome {
  readonly rule: Omit<RuleSpec, 'id'>;
  readonly names: readonly string[];
  readonly path: readonly PropertyKey[];
}

interface Place {
  readonly key: string;
  readonly defaultVariant: string;
  readonly evaluators: Evaluators;
  readonly outcomes: Outcome[];
}

/** Adds a rule for each outcome of `logic`, for those whom `when` takes. What has no outcome there is the default variant. */
function collect(logic: unknown, when: readonly ConditionSpec[], path: readonly PropertyKey[], place: Place): void {
  const add: Add = (conditions, serve, names) => {
    const rule = { ...(conditions.length > 0 && { when: { all: [...conditions] } }), serve };
    place.outcomes.push({ rule, names, path });
  };
  // A boolean names the variant that is called so.
  if (logic == null) add(when, { variant: place.defaultVariant }, []);
  else if (typeof logic === 'string' || typeof logic === 'boolean')
    add(when, { variant: String(logic) }, [String(logic)]);
  else {
    const [name, operand] = operationOf(logic, path);
    if (name === 'if') collectIf(listOf(operand), when, [...path, 'if'], place);
    else if (name === 'fractional') collectSplit(operand, when, [...path, 'fractional'], place, add);
    else throw new Refusal([...path, name], `${name} has no counterpart as an outcome`);
  }
}

type Add = (conditions: readonly ConditionSpec[], serve: RuleSpec['serve'], names: readonly string[]) => void;

/** Without a unit there is no draw, which is no outcome. */
function collectSplit(
  operand: unknown,
  when: readonly ConditionSpec[],
  path: readonly PropertyKey[],
  { key, defaultVariant }: Place,
  add: Add,
): void {
  const { unit, salt, split } = fractionalOf(operand, key, path);
  const isEmpty = split.every(({ weight }) => weight === 0);
  add(isEmpty ? when : [...when, { not: { attr: unit, op: 'exists' } }], { variant: defaultVariant }, []);
  const names = split.map(({ variant }) => variant);
  if (!isEmpty) add(when, { split, unit, hash: 'flagd/2', salt }, names);
}

/** Condition, outcome, condition, outcome, …, what else. The rules before have taken those who do not get further. */
function collectIf(
  args: readonly unknown[],
  when: readonly ConditionSpec[],
  path: readonly PropertyKey[],
  place: Place,
): void {
  for (let index = 0; index + 1 < args.length; index += 2) {
    const condition = conditionOf(args[index], {
      evaluators: place.evaluators,
      path: [...path, index],
      isNegated: false,
    });
    collect(args[index + 1], [...when, condition], [...path, index + 1], place);
  }
  const isElse = args.length % 2 === 1;
  // At the top, what is left is the default variant by itself.
  if (isElse || when.length > 0) collect(isElse ? args.at(-1) : undefined, when, path, place);
}
