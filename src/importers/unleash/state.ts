import { z } from 'zod';

// What Unleash's client API answers (GET /api/client/features) and what its export files have of it; other fields are of
// no matter to evaluation. Client specification 6.1.0, Apache-2.0.

const text = z.string().max(4_096);
const list = z.array(text).max(5_000);

const constraintSchema = z.object({
  contextName: text,
  operator: text,
  values: list.nullish(),
  value: text.nullish(),
  inverted: z.boolean().nullish(),
  caseInsensitive: z.boolean().nullish(),
});
export type Constraint = z.output<typeof constraintSchema>;

const variantSchema = z.object({
  name: text,
  weight: z.int().min(0).max(1_000_000),
  stickiness: text.nullish(),
  payload: z.object({ type: text, value: z.string().max(65_536) }).nullish(),
  overrides: z
    .array(z.object({ contextName: text, values: list }))
    .max(64)
    .nullish(),
});
export type Variant = z.output<typeof variantSchema>;

const id = z.union([z.int(), text]);

const strategySchema = z.object({
  name: text,
  parameters: z.record(text, z.union([text, z.number(), z.boolean()]).nullish()).nullish(),
  constraints: z.array(constraintSchema).max(256).nullish(),
  segments: z.array(id).max(64).nullish(),
  variants: z.array(variantSchema).max(64).nullish(),
  disabled: z.boolean().nullish(),
});
export type Strategy = z.output<typeof strategySchema>;

const featureSchema = z.object({
  name: z.string().min(1).max(253),
  description: text.nullish(),
  type: text.nullish(),
  enabled: z.boolean(),
  strategies: z.array(strategySchema).max(64).nullish(),
  variants: z.array(variantSchema).max(64).nullish(),
  dependencies: z
    .array(z.object({ feature: text, enabled: z.boolean().nullish(), variants: list.nullish() }))
    .max(16)
    .nullish(),
});
export type Feature = z.output<typeof featureSchema>;

const segmentSchema = z.object({ id, name: text.nullish(), constraints: z.array(constraintSchema).max(256) });
export type Segment = z.output<typeof segmentSchema>;

export const stateSchema = z.object({
  features: z.array(featureSchema).max(10_000),
  segments: z.array(segmentSchema).max(1_000).nullish(),
});
export type State = z.output<typeof stateSchema>;
