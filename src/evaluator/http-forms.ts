import { z } from 'zod';
import { codes } from '../base/errors.ts';
import { LIMITS } from '../wire/limits.ts';

// What the endpoints take and answer, for the OpenAPI document. Answers have no fields closed: new ones may come.

/** Of nothing in it more is asked than that it is there: attributes are data. */
const attributes = z.record(z.string(), z.unknown());

export const ofrepRequestForm = z
  .looseObject({
    context: attributes
      .nullish()
      .describe('Evaluation context. `targetingKey` is the unit that is drawn for, unless a flag says otherwise.'),
  })
  .meta({ id: 'EvaluationRequest', description: `An evaluation context, at most ${LIMITS.depth} levels deep.` });

export const batchRequestForm = z
  .looseObject({
    units: attributes.nullish().describe('Units by name, such as `targetingKey` or `account`.'),
    attributes: attributes.nullish().describe('What else is known. Of two of one name the unit counts.'),
    keys: z.array(z.string()).max(LIMITS.batch).exactOptional().describe('Which flags; default: all.'),
  })
  .meta({ id: 'BatchRequest' });

const metadata = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .describe('Flat: flagSetId, version, ruleId, experiment, arm, phase, bucket, stale and others (docs/flags.md).');
const key = z.string().describe('Key of the flag.');

const servedForm = z
  .object({
    key,
    value: z
      .unknown()
      .refine((value) => value !== undefined)
      .describe('Of the type of the flag.'),
    reason: z.enum(['STATIC', 'TARGETING_MATCH', 'SPLIT', 'DEFAULT', 'DISABLED']),
    variant: z.string().describe('Name of the variant.'),
    metadata,
  })
  .meta({ id: 'Served', description: 'A variant is served.' });

const valuelessForm = z
  .object({ key, reason: z.literal('DISABLED'), metadata })
  .meta({ id: 'Valueless', description: 'The flag is not enabled: the default in the caller’s code counts.' });

const failedForm = z
  .object({
    key,
    errorCode: z.enum(['FLAG_NOT_FOUND', 'TARGETING_KEY_MISSING', 'GENERAL']),
    errorDetails: z.string(),
    metadata,
  })
  .meta({ id: 'Failed', description: 'There is no answer for this flag.' });

export const singleForm = z.union([servedForm, valuelessForm]);
const itemForm = z.union([servedForm, valuelessForm, failedForm]).meta({ id: 'Item' });

export const bulkForm = z
  .object({
    flags: z.array(itemForm),
    metadata,
    eventStreams: z
      .array(z.object({ type: z.literal('sse'), endpoint: z.object({ requestUri: z.string() }) }))
      .describe('Where to hear when to ask again.'),
  })
  .meta({ id: 'BulkAnswer' });

export const batchForm = z
  .object({
    flagSetId: z.string(),
    revision: z.int().describe('Of the ruleset that answered.'),
    stale: z.literal(true).exactOptional().describe('There may be a newer ruleset.'),
    flags: z.array(itemForm).describe('In the order of `keys`.'),
  })
  .meta({ id: 'BatchAnswer' });

export const refusalForm = z
  .object({
    key: key.exactOptional(),
    errorCode: z.string().describe('What OFREP’s clients understand.'),
    errorDetails: z.string().describe('What happened, in a sentence.'),
    code: z
      .enum(Object.keys(codes) as [string, ...string[]])
      .exactOptional()
      .describe('One of docs/errors.md; never renamed.'),
  })
  .meta({ id: 'Refusal', description: 'Every error, in OFREP’s form.' });

export const takenForm = z
  .object({
    accepted: z.int().min(0).describe('Written now.'),
    duplicates: z.int().min(0).describe('Written before, under the same id.'),
    errors: z
      .array(z.object({ index: z.int().min(0), code: z.string(), path: z.string(), message: z.string() }))
      .describe('Items that are no events. Do not send them again.'),
  })
  .meta({ id: 'Taken', description: 'Every item was looked at, and the good ones are on disk.' });
