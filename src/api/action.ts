import { z } from 'zod';

/** The annotation through which a person asks a Rollout to do something; it is consumed once. */
export const ACTION_ANNOTATION = 'sluice.dev/action';

export const actionKinds = [
  'approve',
  'pause',
  'resume',
  'promote',
  'promote-full',
  'abort',
  'abort-force',
  'retry',
  'release',
] as const;

export const MAX_REASON_CHARS = 1_024;

export const actionSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9._-]+$/)
    .max(128)
    .describe('Makes it count once; any unique text.'),
  action: z.enum(actionKinds).describe('What to do.'),
  revision: z
    .string()
    .max(63)
    .optional()
    .describe('pod-template-hash that is meant; the action is refused for another.'),
  reason: z.string().max(MAX_REASON_CHARS).optional().describe('Why, for the history.'),
  by: z.string().max(253).optional().describe('Who, for the history.'),
});

export type Action = z.output<typeof actionSchema>;
