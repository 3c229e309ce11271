import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { digest, flagKey, flagSetId, name, revision } from './names.ts';

/** What an evaluator says of a ruleset, when it swapped one in or refused it, and every 5 minutes. */
export const acknowledgementSchema = z.strictObject({
  schema: z.literal('sluice.acknowledgement/v1'),
  flagSetId,
  subscriber: name('Who says so: the name of the pod.'),
  revision: revision.describe('Of the ruleset that is spoken of.'),
  digest,
  state: z
    .enum(['Running', 'Refused'])
    .describe('Running: answers come from this revision. Refused: the one before it goes on.'),
  reason: z.string().max(1_024).exactOptional().describe('Why it was refused: a code and a sentence.'),
  evaluated: z.array(flagKey).max(LIMITS.flags).describe('Flags that were evaluated since the last acknowledgement.'),
});
export type Acknowledgement = z.output<typeof acknowledgementSchema>;
