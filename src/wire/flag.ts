import { z } from 'zod';
import { conditionSchema } from './condition.ts';
import { type Admission, admissionSchema, armsSchema, ranges, splitSchema } from './draw.ts';
import { type Json, pathText } from './json.ts';
import { LIMITS } from './limits.ts';
import { experimentKey, flagKey, name, phase } from './names.ts';

const variant = name('A variant of the flag.');
const condition = conditionSchema.refine((when) => conditionDepth(when) <= LIMITS.conditionDepth, {
  message: `must not be nested deeper than ${LIMITS.conditionDepth} conditions`,
});

/** One rule. Without `when` it matches; each admission must admit, or the rule falls through. */
const ruleSchema = z.strictObject({
  id: name('Name of the rule, in the answer as ruleId.'),
  when: condition.exactOptional(),
  admissions: z
    .array(admissionSchema)
    .max(LIMITS.admissions)
    .exactOptional()
    .describe('All of them must admit the unit. A Rollout has one and a fixed variant.'),
  serve: z.union([z.strictObject({ variant }), z.strictObject({ split: splitSchema })]),
});
export type Rule = z.output<typeof ruleSchema>;

/** A running experiment of the flag. In a layer its admission takes unit, hash and salt from there: only then do two exclude each other. */
const experimentSchema = z.strictObject({
  key: experimentKey,
  phase,
  when: condition.exactOptional(),
  admission: z.union([z.strictObject({ layer: name('A layer of this ruleset.'), ranges }), admissionSchema]),
  arms: armsSchema,
});
export type RunningExperiment = z.output<typeof experimentSchema>;

/** A holdout of a layer that this flag is under, and what its units get. */
const heldOutSchema = z.strictObject({
  layer: name('A layer of this ruleset.'),
  holdout: name('A holdout of that layer.'),
  variant,
  experiment: experimentKey.exactOptional(),
  phase: phase.exactOptional(),
});
export type HeldOut = z.output<typeof heldOutSchema>;

const FLAG_TYPES = ['boolean', 'string', 'number', 'object'] as const;

const shape = z.strictObject({
  type: z.enum(FLAG_TYPES),
  variants: z.record(name('A variant.'), z.unknown()).describe('Values of the variants, all of the type of the flag.'),
  offVariant: variant,
  defaultVariant: variant,
  enabled: z.boolean(),
  killSwitch: z.boolean(),
  clientSide: z.boolean(),
  overrides: z
    .array(z.strictObject({ units: z.array(z.string().max(LIMITS.valueChars)).max(LIMITS.overrideUnits), variant }))
    .max(LIMITS.overrides)
    .exactOptional(),
  holdouts: z.array(heldOutSchema).max(LIMITS.experiments).exactOptional(),
  prerequisites: z
    .array(z.strictObject({ flag: flagKey, variants: z.array(variant).max(LIMITS.variants) }))
    .max(LIMITS.prerequisites)
    .exactOptional(),
  segments: z.record(name('A segment.'), condition).exactOptional(),
  experiments: z.array(experimentSchema).max(LIMITS.experiments).exactOptional().describe('Oldest first.'),
  rules: z.array(ruleSchema).max(LIMITS.rules),
});

/** One flag of a ruleset. Every variant that it names exists and has its type; everything has a hard bound. */
export const flagSchema = shape.superRefine((flag, context) => {
  for (const [path, message] of flagProblems(flag)) context.addIssue({ code: 'custom', path: [...path], message });
});
export type Flag = Omit<z.output<typeof shape>, 'variants'> & { variants: Record<string, Json> };

type Problem = readonly [path: readonly PropertyKey[], message: string];

function* flagProblems(flag: z.output<typeof shape>): Generator<Problem> {
  const names = Object.keys(flag.variants);
  if (names.length === 0) yield [['variants'], 'must have at least one entry'];
  if (names.length > LIMITS.variants) yield [['variants'], `must have at most ${LIMITS.variants} entries`];
  if (Object.keys(flag.segments ?? {}).length > LIMITS.segments) {
    yield [['segments'], `must have at most ${LIMITS.segments} entries`];
  }
  for (const [name, value] of Object.entries(flag.variants)) {
    if (typeOf(value) !== flag.type) yield [['variants', name], `must be of type ${flag.type}`];
    else if (flag.type !== 'boolean' && JSON.stringify(value).length > LIMITS.variantChars) {
      yield [['variants', name], `must be at most ${LIMITS.variantChars} characters of JSON`];
    }
  }
  for (const [path, variant] of variantsNamed(flag)) {
    if (!Object.hasOwn(flag.variants, variant)) yield [path, `names no variant of this flag: ${variant}`];
  }
  yield* repeated(
    'rules',
    flag.rules.map((rule) => rule.id),
  );
  yield* repeated(
    'experiments',
    (flag.experiments ?? []).map((experiment) => experiment.key),
  );
}

function* variantsNamed(flag: z.output<typeof shape>): Generator<readonly [readonly PropertyKey[], string]> {
  yield [['offVariant'], flag.offVariant];
  yield [['defaultVariant'], flag.defaultVariant];
  for (const [index, one] of (flag.overrides ?? []).entries()) yield [['overrides', index, 'variant'], one.variant];
  for (const [index, one] of (flag.holdouts ?? []).entries()) yield [['holdouts', index, 'variant'], one.variant];
  for (const [index, { arms }] of (flag.experiments ?? []).entries()) {
    for (const [arm, one] of arms.arms.entries())
      yield [['experiments', index, 'arms', 'arms', arm, 'variant'], one.variant];
  }
  for (const [index, { serve }] of flag.rules.entries()) {
    const path = ['rules', index, 'serve'];
    if ('variant' in serve) yield [[...path, 'variant'], serve.variant];
    else
      for (const [arm, one] of serve.split.arms.entries())
        yield [[...path, 'split', 'arms', arm, 'variant'], one.variant];
  }
}

function* repeated(list: string, ids: readonly string[]): Generator<Problem> {
  for (const [index, id] of ids.entries()) {
    if (ids.indexOf(id) < index) yield [[list, index], `is the second of its name: ${pathText([id])}`];
  }
}

function typeOf(value: unknown): string {
  if (value === null || Array.isArray(value)) return 'other';
  return typeof value;
}

/** Levels of conditions, 1 for a comparison. Whoever calls has bounded the document's depth. */
function conditionDepth(condition: unknown): number {
  if (typeof condition !== 'object' || condition === null) return 1;
  const { all, any, not } = condition as { all?: unknown[]; any?: unknown[]; not?: unknown };
  const inner = [...(all ?? []), ...(any ?? []), ...(not === undefined ? [] : [not])];
  return 1 + inner.reduce<number>((deepest, one) => Math.max(deepest, conditionDepth(one)), 0);
}

/** Where the admission of an experiment takes unit, hash and salt from. */
export function isInLayer(
  admission: RunningExperiment['admission'],
): admission is Exclude<typeof admission, Admission> {
  return 'layer' in admission;
}
