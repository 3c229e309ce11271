import { z } from 'zod';
import { type Constraint, constrained } from './constraint.ts';
import { givenName, lineOf } from './named-map.ts';
import { opaque } from './opaque.ts';

/** How an attribute is compared; docs/flags.md has the table of what each one takes. */
export const OPERATORS = [
  'eq',
  'in',
  'lt',
  'le',
  'gt',
  'ge',
  'before',
  'after',
  'semverEq',
  'semverLt',
  'semverLe',
  'semverGt',
  'semverGe',
  'startsWith',
  'endsWith',
  'contains',
  'matches',
  'inCidr',
  'exists',
  'anyOf',
  'allOf',
  'noneOf',
] as const;

const MAX_CONDITIONS = 32;
const MAX_VALUES = 1000;

const scalar = z.union([z.string().max(4096), z.number(), z.boolean()], 'must be text, a number, a boolean or a list');
type Scalar = z.output<typeof scalar>;

/** A condition of any depth. Exactly one of all, any, not, attr, segment and time is set. */
export interface FlagCondition {
  readonly all?: readonly FlagCondition[] | undefined;
  readonly any?: readonly FlagCondition[] | undefined;
  readonly not?: FlagCondition | undefined;
  readonly attr?: string | undefined;
  readonly op?: (typeof OPERATORS)[number] | undefined;
  readonly value?: Scalar | readonly Scalar[] | undefined;
  readonly ignoreCase?: boolean | undefined;
  readonly segment?: string | undefined;
  readonly time?: { readonly after?: string | undefined; readonly before?: string | undefined } | undefined;
}

const instant = (description: string) => z.iso.datetime({ offset: true }).describe(description);

const kinds = ['all', 'any', 'not', 'attr', 'segment', 'time'] as const;

const leafShape = {
  attr: lineOf(253, 'Attribute at the top level of the evaluation context that is compared by `op`.').optional(),
  op: z.enum(OPERATORS).describe('How `attr` is compared with `value`.').optional(),
  value: opaque(
    z.union([scalar, z.array(scalar).min(1).max(MAX_VALUES)], 'must be text, a number, a boolean or a list of these'),
    'What `attr` is compared with: text, a number, a boolean, or a list where the operator takes one.',
  ).optional(),
  ignoreCase: z.boolean().optional().describe('Compare texts without regard to case.'),
  segment: givenName('Name of a segment of this flag that must match.').optional(),
  time: constrained(
    z.strictObject({
      after: instant('True from this time on.').optional(),
      before: instant('True until this time.').optional(),
    }),
    'True between two times, by the clock of the evaluator.',
    {
      rule: 'has(self.after) || has(self.before)',
      message: 'set after, before or both',
      holds: (self) => self.after !== undefined || self.before !== undefined,
    },
  ).optional(),
};

const rules: readonly Constraint<FlagCondition>[] = [
  {
    rule: `[${kinds.map((kind) => `has(self.${kind})`).join(', ')}].filter(x, x).size() == 1`,
    message: `set exactly one of ${kinds.join(', ')}`,
    holds: (self) => kinds.filter((kind) => self[kind] !== undefined).length === 1,
  },
  {
    rule: 'has(self.attr) == has(self.op)',
    message: 'attr and op belong together',
    holds: (self) => (self.attr === undefined) === (self.op === undefined),
  },
  {
    rule: "!has(self.ignoreCase) || (has(self.op) && self.op in ['startsWith', 'endsWith', 'contains'])",
    message: 'belongs to startsWith, endsWith and contains',
    field: 'ignoreCase',
    holds: ({ op, ignoreCase }) =>
      ignoreCase === undefined || op === 'startsWith' || op === 'endsWith' || op === 'contains',
  },
];

/** What structural schemas cannot say about a comparison. */
function withValue<Schema extends z.ZodType<FlagCondition, unknown>>(schema: Schema): Schema {
  return schema.superRefine((self: FlagCondition, context) => {
    const takesValue = self.op !== undefined && self.op !== 'exists';
    if (takesValue === (self.value !== undefined)) return;
    const message = takesValue ? 'is required' : 'belongs to attr, with an operator other than exists';
    context.addIssue({ code: 'custom', message, path: ['value'] });
  }) as Schema;
}

const conditionOf = <Inner extends z.ZodType<FlagCondition, unknown>>(inner: Inner, description: string) =>
  constrained(
    withValue(
      z.strictObject({
        all: z
          .array(inner)
          .max(MAX_CONDITIONS)
          .describe('True when each of them is; when there is none, too.')
          .optional(),
        any: z.array(inner).max(MAX_CONDITIONS).describe('True when one of them is.').optional(),
        not: inner.optional(),
        ...leafShape,
      }),
    ),
    description,
    ...rules,
  );

/** Structural schemas know no recursion, so two levels are spelled out and the API server does not look at deeper ones. */
const deepCondition: z.ZodType<FlagCondition, unknown> = z.lazy(() => conditionOf(deepCondition, 'A condition.'));

const innerCondition = conditionOf(
  opaque(
    deepCondition,
    'A condition as above. The API server does not look at this depth; the operator does.',
    'object',
  ),
  'A condition: exactly one of all, any, not, attr, segment, time.',
);

/** A condition on the evaluation context. */
export const conditionSchema = (description: string) => conditionOf(innerCondition, description);

/** Every condition in `root`, itself included, with its path. */
export function* conditionsIn(
  root: FlagCondition,
  path: readonly PropertyKey[] = [],
): Generator<{ readonly condition: FlagCondition; readonly path: readonly PropertyKey[] }> {
  yield { condition: root, path };
  for (const list of ['all', 'any'] as const) {
    for (const [index, inner] of (root[list] ?? []).entries()) yield* conditionsIn(inner, [...path, list, index]);
  }
  if (root.not) yield* conditionsIn(root.not, [...path, 'not']);
}
