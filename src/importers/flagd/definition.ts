import { z } from 'zod';

// A flag definition of flagd (flagd-schemas, flags.json), as far as the importer reads it. Apache-2.0 project; shape only.

const flagSchema = z.object({
  state: z.enum(['ENABLED', 'DISABLED']),
  variants: z.record(z.string().min(1).max(128), z.unknown()),
  defaultVariant: z.string().max(128).nullish(),
  targeting: z.unknown().optional(),
});
export type Definition = z.output<typeof flagSchema>;

export const documentSchema = z.object({
  flags: z.record(z.string().min(1).max(253), flagSchema),
  $evaluators: z.record(z.string(), z.unknown()).nullish(),
});
export type Evaluators = NonNullable<z.output<typeof documentSchema>['$evaluators']>;
