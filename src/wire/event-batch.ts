import { z } from 'zod';
import { exposureSchema } from './exposure.ts';
import { LIMITS } from './limits.ts';
import { metricEventSchema } from './metric-event.ts';

/** What an evaluator sends to the collector; at most 1,000 of each kind. Sent again until it is acknowledged. */
export const eventBatchSchema = z.strictObject({
  schema: z.literal('sluice.events/v1'),
  exposures: z.array(exposureSchema).max(LIMITS.batch),
  metrics: z.array(metricEventSchema).max(LIMITS.batch),
});
export type EventBatch = z.output<typeof eventBatchSchema>;
