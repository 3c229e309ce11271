import { z } from 'zod';
import { constrained, keyedList } from './constraint.ts';
import { percent } from './fields.ts';
import { conditionSchema } from './flag-condition.ts';
import { givenName, lineOf } from './named-map.ts';

/** Closed: a name stands for an algorithm that never changes. The others keep every user's variant after an import. */
export const HASHES = ['murmur3-32/1', 'growthbook/1', 'growthbook/2', 'unleash/1', 'flagd/2'] as const;

const MAX_ARMS = 32;
const MAX_WEIGHT = 1_000_000;

const weight = constrained(
  z.number().min(0).max(MAX_WEIGHT),
  'Share of this variant, in proportion to the sum of all weights.',
  {
    rule: 'int(self * 1000000.0 + 0.5) % 10000 == 0',
    message: 'must have at most two decimals',
    holds: (value) => Math.floor(value * 1_000_000 + 0.5) % 10_000 === 0,
  },
);

const armSchema = z
  .strictObject({ variant: givenName('Name of a variant.'), weight })
  .describe('A variant and its share.');

const splitList = keyedList(
  z.array(armSchema).min(1).max(MAX_ARMS),
  'variant',
  'Variants by share of the units, in the order of the buckets.',
);

const BUCKETS = 10_000;

const rangeSchema = constrained(
  z.strictObject({
    from: z.int().min(0).max(BUCKETS).describe('First bucket.'),
    to: z.int().min(0).max(BUCKETS).describe('First bucket after the range.'),
  }),
  'Buckets from `from` to before `to`, of 0 to 9999.',
  {
    rule: 'self.from < self.to',
    message: 'to must be above from',
    field: 'to',
    holds: (self) => self.from < self.to,
  },
);

const unit = lineOf(253, 'Attribute whose value decides the bucket. Default: targetingKey.').optional();
const hash = z.enum(HASHES).optional().describe('How the bucket is computed. Default: murmur3-32/1.');
const salt = lineOf(
  512,
  'Hashed together with the unit, as it stands here. Default: made from namespace, key and rule id.',
).optional();

const admissionSchema = constrained(
  z.strictObject({
    percent: percent('Share of the units, from bucket 0.').optional(),
    ranges: z.array(rangeSchema).min(1).max(100).describe('Buckets that are admitted.').optional(),
    unit,
    hash,
    salt,
  }),
  'Which units a rule takes: exactly one of percent and ranges. The others fall through to the next rule.',
  {
    rule: 'has(self.percent) != has(self.ranges)',
    message: 'set exactly one of percent and ranges',
    holds: (self) => (self.percent === undefined) !== (self.ranges === undefined),
  },
);

const serveSchema = constrained(
  z.strictObject({
    variant: givenName('The variant that every unit gets.').optional(),
    split: splitList.optional(),
    unit,
    hash,
    salt,
  }),
  'What a rule that matches serves: exactly one of variant and split.',
  {
    rule: 'has(self.variant) != has(self.split)',
    message: 'set exactly one of variant and split',
    holds: (self) => (self.variant === undefined) !== (self.split === undefined),
  },
  {
    rule: '!has(self.split) || self.split.exists(arm, arm.weight > 0.0)',
    message: 'at least one weight must be above 0',
    field: 'split',
    holds: ({ split }) => split === undefined || split.some((arm) => arm.weight > 0),
  },
  ...(['unit', 'hash', 'salt'] as const).map((field) => ({
    rule: `has(self.split) || !has(self.${field})`,
    message: 'belongs to split',
    field,
    holds: (self: { split?: unknown; unit?: unknown; hash?: unknown; salt?: unknown }) =>
      self.split !== undefined || self[field] === undefined,
  })),
);

const ruleSchema = z
  .strictObject({
    id: givenName('Name of the rule, unique in the flag; it is part of the salt, so a new name deals anew.'),
    when: conditionSchema('Whom the rule is for. Default: everyone.').optional(),
    admissions: z
      .array(admissionSchema)
      .max(4)
      .optional()
      .describe('Each of them must take the unit. Raising a percentage keeps who is in.'),
    serve: serveSchema,
  })
  .describe('Serves a variant, or a split, to whom `when` matches.');

export const ruleList = keyedList(
  z.array(ruleSchema).max(50),
  'id',
  'In order: the first rule that matches decides.',
).prefault([]);
