import { z } from 'zod';
import { acknowledgementSchema } from '../src/wire/acknowledgement.ts';
import { eventBatchSchema } from '../src/wire/event-batch.ts';
import { exposureReportsSchema } from '../src/wire/exposure.ts';
import { metricReportsSchema } from '../src/wire/metric-event.ts';
import { sealedRulesetSchema } from '../src/wire/sealed-ruleset.ts';

const documents: readonly (readonly [name: string, title: string, schema: z.ZodType])[] = [
  ['sealed-ruleset-v1', 'A ruleset (sluice.ruleset/v1) with its digest and signature', sealedRulesetSchema],
  ['acknowledgement-v1', 'What an evaluator says of a ruleset (sluice.acknowledgement/v1)', acknowledgementSchema],
  ['exposure-reports-v1', 'Body of POST /exposures', exposureReportsSchema],
  ['metric-reports-v1', 'Body of POST /metrics', metricReportsSchema],
  ['event-batch-v1', 'What an evaluator sends to the collector (sluice.events/v1)', eventBatchSchema],
];

/** What crosses processes as JSON Schema (2020-12), for other languages. What it has no words for stands in src/wire alone. */
export function wireSchemas(): [path: string, text: string][] {
  return documents.map(([name, title, schema]) => {
    const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
    return [`docs/reference/schemas/${name}.json`, `${JSON.stringify({ $schema, title, ...rest }, undefined, 2)}\n`];
  });
}
