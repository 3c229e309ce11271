import { z } from 'zod';
import { type Constraint, constrained, type TransitionConstraint } from './constraint.ts';
import { featureFlagSpecSchema } from './feature-flag.ts';
import { featureFlagStatusSchema } from './feature-flag-status.ts';
import { time } from './fields.ts';
import { metricSpecSchema, metricStatusSchema } from './metric.ts';
import { GROUP, VERSION } from './names.ts';
import { rolloutSpecSchema } from './rollout.ts';
import { rolloutStatusSchema } from './rollout-status.ts';

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'date' | 'boolean';
  readonly jsonPath: string;
  readonly description: string;
  /** 1 shows it only with `-o wide`. */
  readonly priority?: 1;
}

/** The parts of metadata that Sluice reads. */
const metadataSchema = z
  .object({
    name: z.string().min(1).max(253).describe('Name of the object.'),
    namespace: z.string().max(63).optional().describe('Namespace of the object.'),
    uid: z.string().max(128).optional().describe('Tells apart objects that had the same name.'),
    resourceVersion: z.string().max(128).optional().describe('Version of the stored object.'),
    generation: z.int().optional().describe('Rises with every change of spec.'),
    deletionTimestamp: time('When deletion was asked.').optional(),
    finalizers: z.array(z.string().max(317)).optional().describe('Who must still act before deletion.'),
    labels: z.record(z.string(), z.string()).optional().describe('Labels.'),
    annotations: z.record(z.string(), z.string()).optional().describe('Annotations.'),
  })
  .describe('Standard object metadata.');

type Named = { metadata: { name: string } };

function objectSchema<Kind extends string, Spec extends z.ZodType>(
  kind: Kind,
  spec: Spec,
  description: string,
  ...constraints: (Constraint<Named> | TransitionConstraint)[]
) {
  const shape = {
    apiVersion: z.literal(`${GROUP}/${VERSION}`).describe('Group and version of this schema.'),
    kind: z.literal(kind).describe('Kind of this object.'),
    metadata: metadataSchema,
    spec,
  };
  return constrained(z.object(shape), description, ...(constraints as Constraint<unknown>[]));
}

/** A custom resource: what `crds/`, the reference pages and the parsers are made from. */
export interface Resource {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortName: string;
  readonly object: z.ZodObject<{ spec: z.ZodType }>;
  readonly status: z.ZodType;
  readonly columns: readonly PrinterColumn[];
}

const shortName: Constraint<Named> = {
  rule: 'size(self.metadata.name) <= 63',
  message: 'name must be at most 63 characters, because it is also the value of a label',
  field: 'metadata',
  holds: ({ metadata }) => metadata.name.length <= 63,
};

const referableName: Constraint<Named> = {
  rule: "size(self.metadata.name) <= 63 && !self.metadata.name.contains('.')",
  message: 'name must be at most 63 characters without ".", because guardrails name it',
  field: 'metadata',
  holds: ({ metadata }) => metadata.name.length <= 63 && !metadata.name.includes('.'),
};

const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since creation.',
};

const statusColumn = (name: string, field: string, description: string, priority?: 1): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath: `.status.${field}`,
  description,
  ...(priority && { priority }),
});

export const rolloutResource = {
  kind: 'Rollout',
  plural: 'rollouts',
  singular: 'rollout',
  shortName: 'slr',
  object: objectSchema(
    'Rollout',
    rolloutSpecSchema,
    'A Rollout moves traffic to a new revision of a Deployment step by step, and back when a guardrail breaches.',
    shortName,
  ),
  status: rolloutStatusSchema,
  columns: [
    statusColumn('Phase', 'phase', 'Where the Rollout stands.'),
    statusColumn('Step', 'step', 'Step in words, 3/7.'),
    statusColumn('Weight', 'weight', 'Share of traffic on the canary.'),
    statusColumn('Verdict', 'verdict', 'The worst of the guardrails.'),
    statusColumn('Reason', 'reason', 'What it waits for, or why it stands where it stands.'),
    age,
    statusColumn('Message', 'message', 'The reason in a sentence.', 1),
  ],
} satisfies Resource;

export const metricResource = {
  kind: 'Metric',
  plural: 'metrics',
  singular: 'metric',
  shortName: 'slm',
  object: objectSchema(
    'Metric',
    metricSpecSchema,
    'A Metric is an entry of the catalogue: a number that guardrails can ask for by name.',
    referableName,
  ),
  status: metricStatusSchema,
  columns: [
    { name: 'Unit', type: 'string', jsonPath: '.spec.unit', description: 'Unit of the number.' },
    { name: 'Direction', type: 'string', jsonPath: '.spec.direction', description: 'Which way is good.' },
    statusColumn('Accepted', 'conditions[?(@.type=="Accepted")].status', 'Whether the operator can use it.'),
    age,
    statusColumn('Reason', 'conditions[?(@.type=="Accepted")].reason', 'Why it can be used, or why not.', 1),
    { name: 'Owner', type: 'string', jsonPath: '.spec.owner', description: 'Who answers for it.', priority: 1 },
  ],
} satisfies Resource;

/** `spec.key` with its default, of the object `self` or `oldSelf`. */
const keyOf = (self: string) => `(has(${self}.spec.key) ? ${self}.spec.key : ${self}.metadata.name)`;

export const featureFlagResource = {
  kind: 'FeatureFlag',
  plural: 'featureflags',
  singular: 'featureflag',
  shortName: 'slf',
  object: objectSchema(
    'FeatureFlag',
    featureFlagSpecSchema,
    'A FeatureFlag is a named value that applications ask for, and who gets which.',
    {
      transitionRule: `${keyOf('self')} == ${keyOf('oldSelf')}`,
      message: 'cannot change: applications ask for it; make another flag',
      field: 'spec.key',
    },
  ),
  status: featureFlagStatusSchema,
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.spec.type', description: 'Type of its values.' },
    { name: 'Enabled', type: 'boolean', jsonPath: '.spec.enabled', description: 'Whether it has a value at all.' },
    { name: 'Killed', type: 'boolean', jsonPath: '.spec.killSwitch', description: 'Whether everyone gets offVariant.' },
    statusColumn(
      'Accepted',
      'conditions[?(@.type=="Accepted")].status',
      'Whether the ruleset says what the spec says.',
    ),
    statusColumn('Reason', 'conditions[?(@.type=="Accepted")].reason', 'Why it is accepted or not.'),
    age,
    { name: 'Owner', type: 'string', jsonPath: '.spec.owner', description: 'Who answers for it.', priority: 1 },
    { name: 'Purpose', type: 'string', jsonPath: '.spec.purpose', description: 'What it is for.', priority: 1 },
    statusColumn('Last evaluated', 'lastEvaluated', 'When an evaluator was last asked for it.', 1),
  ],
} satisfies Resource;

export type FeatureFlag = z.output<typeof featureFlagResource.object>;
export type Rollout = z.output<typeof rolloutResource.object>;
export type Metric = z.output<typeof metricResource.object>;
