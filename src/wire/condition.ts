import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { attribute, instant, name } from './names.ts';

export type Scalar = string | number | boolean;

/** Operators that compare an attribute with one text. */
export const TEXT_OPERATORS = ['startsWith', 'endsWith', 'contains'] as const;
export const NUMBER_OPERATORS = ['lt', 'le', 'gt', 'ge'] as const;
export const DATE_OPERATORS = ['before', 'after'] as const;
export const SEMVER_OPERATORS = ['semverEq', 'semverLt', 'semverLe', 'semverGt', 'semverGe'] as const;
export const ARRAY_OPERATORS = ['anyOf', 'allOf', 'noneOf'] as const;

/** An attribute of the context compared with a value; what each operator means stands in docs/flags.md. */
export type Comparison =
  | { readonly attr: string; readonly op: 'exists' }
  | { readonly attr: string; readonly op: 'eq'; readonly value: Scalar }
  | { readonly attr: string; readonly op: 'in'; readonly value: readonly Scalar[] }
  | { readonly attr: string; readonly op: (typeof NUMBER_OPERATORS)[number]; readonly value: number }
  | { readonly attr: string; readonly op: (typeof DATE_OPERATORS)[number]; readonly value: string }
  | { readonly attr: string; readonly op: (typeof SEMVER_OPERATORS)[number]; readonly value: string }
  | {
      readonly attr: string;
      readonly op: (typeof TEXT_OPERATORS)[number];
      readonly value: string;
      readonly ignoreCase?: boolean;
    }
  | { readonly attr: string; readonly op: 'matches'; readonly value: string }
  | { readonly attr: string; readonly op: 'inCidr'; readonly value: string | readonly string[] }
  | { readonly attr: string; readonly op: (typeof ARRAY_OPERATORS)[number]; readonly value: readonly Scalar[] };

/** True in [after, before) by the evaluator's clock. */
export type TimeWindow =
  | { readonly after: string; readonly before?: string }
  | { readonly before: string; readonly after?: string };

/** Kleene logic over comparisons; an absent attribute or a wrong type is unknown, and unknown does not match. */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly segment: string }
  | { readonly time: TimeWindow }
  | Comparison;

const text = z.string().max(LIMITS.valueChars);
const scalar = z.union([text, z.number(), z.boolean()], 'must be text, a number or a boolean');
const list = z.array(scalar).max(LIMITS.values);
const comparison = <Op extends string, Value extends z.ZodType>(op: Op | readonly Op[], value: Value) =>
  z.strictObject({ attr: attribute, op: z.enum(typeof op === 'string' ? [op] : op), value });

const comparisonSchema = z.discriminatedUnion('op', [
  z.strictObject({ attr: attribute, op: z.literal('exists') }),
  comparison('eq', scalar),
  comparison('in', list),
  comparison(NUMBER_OPERATORS, z.number()),
  comparison(DATE_OPERATORS, instant),
  comparison(SEMVER_OPERATORS, text),
  comparison(TEXT_OPERATORS, text).extend({ ignoreCase: z.boolean().exactOptional() }),
  comparison('matches', z.string().max(LIMITS.patternChars)),
  comparison('inCidr', z.union([text, z.array(text).max(LIMITS.values)])),
  comparison(ARRAY_OPERATORS, list),
]);

const timeSchema = z.union([
  z.strictObject({ after: instant, before: instant.exactOptional() }),
  z.strictObject({ before: instant }),
]);

const conditions = z.array(z.lazy(() => conditionSchema)).max(LIMITS.conditions);

/** One condition. Its nesting is bounded by whoever holds the document: `jsonProblem`, and `conditionDepth` for rules. */
export const conditionSchema: z.ZodType<Condition, Condition> = z
  .union([
    comparisonSchema,
    z.strictObject({ all: conditions }),
    z.strictObject({ any: conditions }),
    z.strictObject({ not: z.lazy(() => conditionSchema) }),
    z.strictObject({ segment: name('A segment of the same flag.') }),
    z.strictObject({ time: timeSchema }),
  ])
  .meta({ id: 'Condition', description: 'A condition on the evaluation context or the time.' });
