import { z } from 'zod';

// What GrowthBook's SDK endpoint answers (GET /api/features/KEY), as far as the importer reads it. Fields that change who
// gets what and are not read are listed in `import.ts` and refuse the feature.

const share = z.number();
const range = z.tuple([share, share]);
const text = z.string().max(4_096);

const filterSchema = z.object({
  attribute: text.nullish(),
  seed: text,
  hashVersion: z.number().nullish(),
  ranges: z.array(range).max(100),
});

const ruleSchema = z.looseObject({
  id: text.nullish(),
  condition: z.record(z.string(), z.unknown()).nullish(),
  force: z.unknown().optional(),
  coverage: share.nullish(),
  hashAttribute: text.nullish(),
  hashVersion: z.number().nullish(),
  seed: text.nullish(),
  range: range.nullish(),
  ranges: z.array(range).max(64).nullish(),
  filters: z.array(filterSchema).max(3).nullish(),
  namespace: z.tuple([text, share, share]).nullish(),
  variations: z.array(z.unknown()).max(64).nullish(),
  weights: z.array(share).max(64).nullish(),
  key: text.nullish(),
  meta: z
    .array(z.looseObject({ passthrough: z.boolean().nullish() }))
    .max(64)
    .nullish(),
});
export type Rule = z.output<typeof ruleSchema>;

const featureSchema = z.object({
  defaultValue: z.unknown().optional(),
  rules: z.array(ruleSchema).max(50).nullish(),
});
export type Feature = z.output<typeof featureSchema>;

export const payloadSchema = z.object({
  /** Instead of `features`, where the key of the SDK encrypts. */
  encryptedFeatures: z.string().nullish(),
  features: z.record(z.string().min(1).max(253), featureSchema),
  savedGroups: z.record(z.string(), z.array(z.union([text, z.number(), z.boolean()])).max(5_000)).nullish(),
});
export type SavedGroups = NonNullable<z.output<typeof payloadSchema>['savedGroups']>;
