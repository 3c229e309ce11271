import { z } from 'zod';
import { constrained } from './constraint.ts';
import { duration, durationOfAtLeast } from './duration.ts';
import { labelName } from './fields.ts';
import { boundsShape, metricReference, minNotAboveMax, prometheusQuerySchema } from './metric.ts';

/** In a Rollout, and once more as many in the operator's configuration, which it gets too. */
export const MOST_GUARDRAILS = 20;

const silencePolicy = (description: string, first: 'Hold', ...others: ('RollBack' | 'Proceed')[]) =>
  z
    .strictObject({
      action: z
        .enum([first, ...others])
        .prefault(first)
        .describe('What to do once it lasts longer than `after`. Hold asks a person (phase AwaitingApproval).'),
      after: duration('How long to hold before that.').prefault('30m'),
    })
    .prefault({})
    .describe(description);

const failuresSchema = constrained(
  z.strictObject({
    count: z.int().min(1).max(20).prefault(2).describe('Samples out of bounds that spend the budget.'),
    within: z.int().min(1).max(20).prefault(3).describe('Among how many of the last samples.'),
  }),
  'The failure budget of a guardrail of severity Normal.',
  {
    rule: 'self.count <= self.within',
    message: 'count must not be above within',
    field: 'count',
    holds: (self) => self.count <= self.within,
  },
);

const guardrailShape = z.strictObject({
  name: labelName('Name of the guardrail, unique in the list.'),
  metric: metricReference.optional(),
  query: prometheusQuerySchema.optional().describe('A query of its own, instead of a Metric.'),
  ...boundsShape,
  interval: durationOfAtLeast('1s', 'How often to ask; at least once a window.').prefault('10s'),
  window: durationOfAtLeast(
    '1s',
    'Time that one answer covers; `{{window}}` in the query. Default: the metric’s, else the longer of 60s and four scrape intervals.',
  ).optional(),
  severity: z
    .enum(['Critical', 'Normal'])
    .prefault('Normal')
    .describe('Critical breaches at the first sample out of bounds.'),
  failures: failuresSchema.prefault({}),
  minRequests: z
    .int()
    .min(0)
    .prefault(20)
    .describe('Fewer requests in the window are no evidence. Judged where the metric has a `requestsQuery`.'),
  scope: z
    .enum(['Canary', 'Stable', 'Workload'])
    .prefault('Canary')
    .describe(
      'Whose pods `{{canaryHash}}` names: the canary’s, or stable’s (Stable; asked only while stable serves); Workload has queries without a hash.',
    ),
  action: z.enum(['RollBack', 'Hold', 'Observe']).prefault('RollBack').describe('What a breach does.'),
  noEvidence: silencePolicy(
    'When the answer is empty, NaN or rests on too few requests.',
    'Hold',
    'RollBack',
    'Proceed',
  ),
  providerDown: silencePolicy('When the provider cannot be asked.', 'Hold', 'RollBack'),
});

export const guardrailSchema = constrained(
  guardrailShape,
  'A number that must stay in bounds while traffic moves.',
  {
    rule: 'has(self.metric) != has(self.query)',
    message: 'set exactly one of metric and query',
    holds: (self) => (self.metric === undefined) !== (self.query === undefined),
  },
  {
    rule: 'has(self.metric) || has(self.max) || has(self.min) || has(self.maxIncreaseOverStable)',
    message: 'set max, min or maxIncreaseOverStable: an inline query has no default bounds',
    holds: (self) => [self.metric, self.max, self.min, self.maxIncreaseOverStable].some((field) => field !== undefined),
  },
  minNotAboveMax,
);

export type Guardrail = z.output<typeof guardrailSchema>;
