import { z } from 'zod';
import { conditionList } from './condition.ts';
import { type Constraint, constrained } from './constraint.ts';
import { durationOfAtLeast } from './duration.ts';
import { labelName, objectName } from './fields.ts';

/** Credentials belong into a Secret, and the provider adds paths and a query of its own. */
const ADDRESS = /^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/;

const secretKey = (description: string) =>
  z
    .strictObject({
      name: objectName('Name of the Secret, in the namespace of this resource.'),
      key: z.string().min(1).max(253).describe('Key inside the Secret.'),
    })
    .describe(description);

const authSchema = constrained(
  z.strictObject({
    bearerToken: secretKey('Sent as `Authorization: Bearer`.').optional(),
    basic: z
      .strictObject({ username: secretKey('User name.'), password: secretKey('Password.') })
      .describe('HTTP basic authentication.')
      .optional(),
  }),
  'Credentials. They never leave to another origin and are never logged.',
  {
    rule: 'has(self.bearerToken) != has(self.basic)',
    message: 'set exactly one of bearerToken and basic',
    holds: (self) => (self.bearerToken === undefined) !== (self.basic === undefined),
  },
);

const tlsSchema = constrained(
  z.strictObject({
    ca: secretKey('Certificate authorities in PEM that sign the server, instead of the system ones.').optional(),
    cert: secretKey('Client certificate in PEM.').optional(),
    key: secretKey('Private key of the client certificate in PEM.').optional(),
    serverName: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('Name to expect in the server certificate, when it is not the one of the address.'),
    insecureSkipVerify: z.boolean().prefault(false).describe('Accept any server certificate. For tests only.'),
  }),
  'TLS settings for an https address.',
  {
    rule: 'has(self.cert) == has(self.key)',
    message: 'cert and key belong together',
    holds: (self) => (self.cert === undefined) === (self.key === undefined),
  },
);

export const prometheusQuerySchema = z
  .strictObject({
    address: z
      .string()
      .regex(ADDRESS, 'must be an http or https URL without user, password, query and fragment')
      .max(2048)
      .optional()
      .describe('Base URL, such as http://prometheus.monitoring:9090. Default: the operator’s.'),
    query: z
      .string()
      .min(1)
      .max(8192)
      .describe(
        'PromQL that answers one number. {{namespace}}, {{rollout}}, {{service}}, {{canaryHash}}, {{stableHash}} stand inside string literals; {{window}} is a duration.',
      ),
    requestsQuery: z
      .string()
      .min(1)
      .max(8192)
      .optional()
      .describe('PromQL for the number of requests that the answer rests on; with it, `minRequests` is judged.'),
    scrapeInterval: durationOfAtLeast('1s', 'How often Prometheus scrapes the pods.').prefault('15s'),
    timeout: durationOfAtLeast('100ms', 'How long one query may take.').prefault('5s'),
    auth: authSchema.optional(),
    tls: tlsSchema.optional(),
  })
  .describe('A query to Prometheus or to what speaks its API (Thanos, Mimir, VictoriaMetrics).');

export const boundsShape = {
  max: z.number().optional().describe('Harm above this value.'),
  min: z.number().optional().describe('Harm below this value.'),
  maxIncreaseOverStable: constrained(
    z.strictObject({
      relative: z.number().min(0).max(1000).optional().describe('0.1 allows 10 % more than stable.'),
      absolute: z.number().min(0).optional().describe('Allowed difference in the unit of the metric.'),
    }),
    'Harm when the canary is worse than stable by more than this (both set: by more than both).',
    {
      rule: 'has(self.relative) || has(self.absolute)',
      message: 'set relative, absolute or both',
      holds: (self) => self.relative !== undefined || self.absolute !== undefined,
    },
  ).optional(),
};

/** What makes sense of the bounds; for every shape that holds `boundsShape`. */
export const minNotAboveMax: Constraint<{ min?: number | undefined; max?: number | undefined }> = {
  rule: '!has(self.min) || !has(self.max) || self.min <= self.max',
  message: 'min must not be above max',
  field: 'min',
  holds: ({ min, max }) => min === undefined || max === undefined || min <= max,
};

export const metricReference = labelName(
  'Name of a Metric in this namespace, or of a preset in the namespace of the operator.',
);

export const metricSpecSchema = z
  .strictObject({
    provider: z.strictObject({ prometheus: prometheusQuerySchema }).describe('Where the number comes from.'),
    unit: z.string().max(63).optional().describe('Unit of the number, such as ratio or seconds.'),
    direction: z
      .enum(['LowerIsBetter', 'HigherIsBetter', 'Target'])
      .prefault('LowerIsBetter')
      .describe('Which way is good.'),
    window: durationOfAtLeast(
      '1s',
      'Time that one answer covers. Default: the longer of 60s and four scrape intervals.',
    ).optional(),
    owner: z.string().max(253).optional().describe('Who answers for this metric.'),
    description: z.string().max(4096).optional().describe('What the number means.'),
    defaultBounds: constrained(
      z.strictObject(boundsShape),
      'Bounds for guardrails that set none of their own.',
      minNotAboveMax,
    ).optional(),
  })
  .describe('A catalogue entry: a number that can be asked for, and how to read it.');

export const metricStatusSchema = z
  .object({
    observedGeneration: z.int().optional().describe('metadata.generation that this status speaks of.'),
    conditions: conditionList('`Accepted`: the query can be rendered.'),
  })
  .describe('What the operator found.');

export type MetricSpec = z.output<typeof metricSpecSchema>;
export type MetricStatus = z.output<typeof metricStatusSchema>;
export type PrometheusQuery = z.output<typeof prometheusQuerySchema>;
