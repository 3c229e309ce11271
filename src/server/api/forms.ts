import { z } from 'zod';
import { featureFlagSpecSchema } from '../../api/feature-flag.ts';
import { featureFlagStatusSchema } from '../../api/feature-flag-status.ts';
import { labelName, objectName } from '../../api/fields.ts';
import { lineOf } from '../../api/named-map.ts';

/** Flags in one answer at most: a flag with its history may take half a MiB. */
const MAX_PAGE = 100;

export const namespaceName = labelName('Namespace of the flag.');
export const flagKey = lineOf(253, 'Key of the flag; of a flag whose key is taken by an older one, its name.');
export const limit = z.int().min(1).max(MAX_PAGE).describe(`Flags at most; default ${MAX_PAGE}. There may be fewer.`);
export const from = z.string().min(1).max(4_096).describe('`continue` of the page before; good for some minutes.');

const spec = featureFlagSpecSchema.meta({ id: 'FeatureFlagSpec' });
const status = featureFlagStatusSchema.omit({ history: true }).meta({ id: 'FeatureFlagStatus' });
const moment = (description: string) => z.iso.datetime({ offset: true }).describe(description);

/** A FeatureFlag as it is sent. Forms that are sent have no fields closed: new ones may come. */
export const flagForm = z
  .object({
    key: z.string().describe('What applications ask for.'),
    name: z.string().describe('metadata.name of the FeatureFlag.'),
    namespace: z.string().describe('Namespace of the FeatureFlag, which is its flag set.'),
    createdAt: moment('When the FeatureFlag was made.'),
    etag: z.string().describe('Version of spec and status together, as the header ETag has it; for If-Match.'),
    appliedBy: z
      .string()
      .exactOptional()
      .describe('Who applies it from elsewhere and will overwrite what is changed here.'),
    spec,
    status,
  })
  .meta({ id: 'Flag', description: 'A feature flag as it stands, and what the operator found.' });
export type FlagForm = z.input<typeof flagForm>;

export const flagListForm = z
  .object({
    items: z.array(flagForm).describe('By namespace and name.'),
    continue: z.string().exactOptional().describe('Where the next page begins; absent on the last one.'),
  })
  .meta({ id: 'FlagList' });

const revisionForm = z
  .object({
    revision: z.int().min(1).describe('Number of the revision.'),
    at: moment('When the spec was changed, or first seen by the operator.'),
    author: z.string().exactOptional().describe('Who changed it; absent where nobody vouches for it.'),
    accepted: z.boolean().describe('It was part of a ruleset.'),
    spec,
  })
  .meta({ id: 'FlagRevision' });
export type RevisionForm = z.input<typeof revisionForm>;

export const historyForm = z
  .object({ items: z.array(revisionForm).describe('The newest first; at most 20.') })
  .meta({ id: 'FlagHistory' });

/** Every answer that is not 2xx or 304. */
export const failureForm = z
  .object({
    code: z
      .string()
      .regex(/^SLUICE_[A-Z_]+$/)
      .describe('One of docs/errors.md; never renamed.'),
    message: z.string().describe('What happened, in a sentence.'),
    fix: z.string().describe('What to do about it.'),
    requestId: z.string().describe('As in the header X-Request-Id and in the log.'),
    problems: z
      .array(z.object({ path: z.string().describe('Where, like `spec.rules[2].when`.'), message: z.string() }))
      .exactOptional()
      .describe('What does not fit, field by field.'),
  })
  .meta({ id: 'Failure' });
export type FailureForm = z.input<typeof failureForm>;

export const creationForm = z
  .strictObject({
    name: objectName('metadata.name of the FeatureFlag; also its key, unless spec.key says otherwise.'),
    spec,
  })
  .meta({ id: 'FlagCreation' });

export const changeForm = z.strictObject({ spec: changedSpec() }).meta({
  id: 'FlagChange',
  description: 'JSON Merge Patch (RFC 7396): null removes a field, lists are replaced whole.',
});

export const rollbackForm = z
  .strictObject({
    revision: z.int().min(1).exactOptional().describe('Default: the newest accepted one before the present.'),
  })
  .meta({ id: 'FlagRollback' });

/** Every field of a spec by itself: any, and each may be taken away. Maps are merged, so their entries are the API server's to judge. */
function changedSpec() {
  const merged = ['variants', 'segments'];
  const fields = Object.entries(featureFlagSpecSchema.shape).map(([name, field]) => {
    const { description = '' } = z.globalRegistry.get(field) ?? {};
    const inner = merged.includes(name) ? z.record(z.string(), z.unknown()) : withoutDefault(field);
    return [name, inner.nullable().exactOptional().describe(description)] as const;
  });
  return z.strictObject(Object.fromEntries(fields)).describe('What changes.');
}

function withoutDefault(field: z.core.$ZodType): z.ZodType {
  if (field instanceof z.ZodPrefault || field instanceof z.ZodOptional) return withoutDefault(field.unwrap());
  return field as z.ZodType;
}
