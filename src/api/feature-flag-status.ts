import { z } from 'zod';
import { conditionList } from './condition.ts';
import { keyedList } from './constraint.ts';
import { prose, time } from './fields.ts';

/** How many revisions a flag keeps at most; and how many bytes of specs, because a status must fit into an object. */
export const MAX_REVISIONS = 20;
export const MAX_HISTORY_BYTES = 262_144;

const revisionSchema = z
  .object({
    revision: z.int().min(1).describe('Number of the revision, from 1; never used twice.'),
    at: time('When the spec was changed, or first seen by the operator.'),
    author: prose(
      256,
      'User who changed it, as the API server knew them. Absent where nobody vouches for it: the webhook was away.',
    ).optional(),
    accepted: z
      .boolean()
      .prefault(false)
      .describe('It was part of a ruleset. The newest of these is served while a later spec is not accepted.'),
    spec: z.string().describe('The spec as JSON.'),
  })
  .describe('A spec that this flag had.');

export const featureFlagStatusSchema = z
  .object({
    observedGeneration: z.int().optional().describe('metadata.generation that this status speaks of.'),
    conditions: conditionList(
      '`Accepted`: the flag is part of the ruleset as its spec says. `Published`: it is in the ruleset that the namespace’s evaluators are given. `Expired`: a release flag that outlived `expiresAfter`. `Injected`: False while pods of the namespace want an evaluator and have none.',
    ),
    revision: z.int().optional().describe('Number of the present revision.'),
    history: keyedList(
      z.array(revisionSchema).max(MAX_REVISIONS),
      'revision',
      'The last revisions, the newest last: 20 at most, and 256 KiB of specs.',
    ).prefault([]),
    lastEvaluated: time('When an evaluator was last asked for it, give or take an hour.').optional(),
    propagation: z
      .object({
        desired: z.int().describe('Revision of the ruleset that evaluators should have.'),
        acknowledged: z.int().describe('Evaluators that run it, or a newer one.'),
        total: z.int().describe('Evaluators that were connected meanwhile.'),
        p99Seconds: z
          .number()
          .optional()
          .describe('Seconds from the change to the acknowledgement, for 99 of 100 evaluators.'),
        since: time('When that revision was made.').optional(),
      })
      .optional()
      .describe(
        'How far the last change of this flag has come; followed for a minute, and until every connected evaluator has it.',
      ),
  })
  .describe('What the operator found.');

export type FeatureFlagStatus = z.output<typeof featureFlagStatusSchema>;
export type FlagRevision = FeatureFlagStatus['history'][number];
