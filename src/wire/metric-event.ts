import { z } from 'zod';
import { dimensions } from './dimensions.ts';
import { LIMITS } from './limits.ts';
import { flagSetId, instant, name, unitHash } from './names.ts';

const event = name('What happened, as metrics name it: order-completed.');
const value = z.number().describe('How much of it; default 1.');
const id = z.string().min(1).max(128);

/** Body of POST /metrics: what happened to units. Identifiers of units go no further than the evaluator. */
export const metricReportsSchema = z.strictObject({
  metrics: z
    .array(
      z.strictObject({
        id: id.exactOptional().describe('The same event sent twice has the same id and counts once; default: random.'),
        event,
        unit: z.string().min(1).max(LIMITS.valueChars).describe('The unit as the application knows it.'),
        value: value.exactOptional(),
        time: instant.exactOptional().describe('When it happened; default: now.'),
        dimensions: dimensions.exactOptional(),
      }),
    )
    .max(LIMITS.batch),
});
export type MetricReports = z.output<typeof metricReportsSchema>;

/** One metric event, as evaluators send it to the collector. */
export const metricEventSchema = z.strictObject({
  id,
  flagSetId,
  event,
  unitHash,
  value,
  time: instant,
  dimensions: dimensions.exactOptional(),
});
export type MetricEvent = z.output<typeof metricEventSchema>;
