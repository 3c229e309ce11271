import { z } from 'zod';
import { constrained } from './constraint.ts';

const MAX_UNITS = 8;
const MAX_NAME_CHARS = 128;
const TOKEN = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;

const token = (description: string) =>
  z
    .string()
    .regex(TOKEN, 'must be a token of RFC 9110, as names of headers are')
    .min(1)
    .max(MAX_NAME_CHARS)
    .describe(description);

const unitSchema = constrained(
  z.strictObject({
    cookie: token(
      'Name of a cookie. The evaluator makes the cookie `sluice-unit` itself, for navigations that come without a unit.',
    ).optional(),
    header: token(
      'Name of a request header, case-insensitive: one that your gateway or application vouches for.',
    ).optional(),
  }),
  'A place where a unit may stand: exactly one of cookie, header.',
  {
    rule: 'has(self.cookie) != has(self.header)',
    message: 'set exactly one of cookie, header',
    holds: (self) => (self.cookie === undefined) !== (self.header === undefined),
  },
);

/** Who a person is, for rollouts in which everybody stays where they are. */
export const stickinessSchema = z
  .strictObject({
    unit: z
      .array(unitSchema)
      .min(1)
      .max(MAX_UNITS)
      .prefault([{ cookie: 'sluice-unit' }])
      .describe('Where to look for the unit, in this order: the first that a request has says who it is.'),
  })
  .describe(
    'Each person stays on the revision that they got: between 0 and 100 % a weight says how many units, not how many requests, go to the canary. Frozen while a rollout is in flight. Needs Envoy Gateway and the standalone evaluator.',
  );

export type Stickiness = z.output<typeof stickinessSchema>;
