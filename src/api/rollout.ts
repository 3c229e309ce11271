import { z } from 'zod';
import { constrained, keyedList, setList } from './constraint.ts';
import { duration, durationOfAtLeast } from './duration.ts';
import { labelName, objectName, percent } from './fields.ts';
import { guardrailSchema, MOST_GUARDRAILS } from './guardrail.ts';
import { stickinessSchema } from './stickiness.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const;

const shadowSchema = z
  .strictObject({
    percent: percent('Share of requests that the canary gets a copy of; its answers are dropped.'),
    methods: setList(
      z.array(z.enum(METHODS)).min(1).max(METHODS.length),
      'Methods that are mirrored. Others may have effects that a copy would double.',
    ).prefault(['GET', 'HEAD']),
  })
  .describe('Dark launch: users never see the canary’s answers.');

const headerMatchSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/, 'must be a header name')
      .min(1)
      .max(256)
      .describe('Header name, case-insensitive.'),
    value: z.string().min(1).max(4096).describe('Value to match.'),
    type: z.enum(['Exact', 'RegularExpression']).prefault('Exact').describe('How to compare.'),
  })
  .describe('One header condition.');

const matchSchema = z
  .strictObject({
    headers: z
      .array(headerMatchSchema)
      .min(1)
      .max(8)
      .describe('All of them must match for a request to go to the canary.'),
    methods: setList(z.array(z.enum(METHODS)).min(1).max(4), 'Only these methods.').optional(),
  })
  .describe('Requests that go to the canary whatever the weight, until promotion or abort.');

const kinds = ['shadow', 'match', 'weight', 'approve'] as const;

export const stepSchema = constrained(
  z.strictObject({
    shadow: shadowSchema.optional(),
    match: matchSchema.optional(),
    weight: percent('Share of requests that the canary serves.').optional(),
    approve: z.strictObject({}).optional().describe('Wait for a person.'),
    hold: duration('Good time that this step needs before the next one.').optional(),
  }),
  'One step: exactly one of shadow, match, weight, approve.',
  {
    rule: `[${kinds.map((kind) => `has(self.${kind})`).join(', ')}].filter(x, x).size() == 1`,
    message: `set exactly one of ${kinds.join(', ')}`,
    holds: (self) => kinds.filter((kind) => self[kind] !== undefined).length === 1,
  },
  {
    rule: '!has(self.approve) || !has(self.hold)',
    message: 'an approve step waits for a person and takes no hold',
    field: 'hold',
    holds: (self) => self.approve === undefined || self.hold === undefined,
  },
);

const workloadSchema = constrained(
  z.strictObject({
    kind: z.literal('Deployment').prefault('Deployment').describe('Kind of the workload.'),
    name: labelName('Name of the Deployment. It stays yours.'),
    gate: z.enum(['Webhook']).prefault('Webhook').describe('What keeps the Deployment from updating by itself.'),
  }),
  'The workload that is rolled out.',
  {
    transitionRule: 'self.name == oldSelf.name',
    message: 'cannot change: delete this Rollout and make another',
    field: 'name',
  },
);

const httpRouteList = keyedList(
  z
    .array(z.strictObject({ name: objectName('Name of the HTTPRoute.') }).describe('An HTTPRoute of this namespace.'))
    .min(1)
    .max(8),
  'name',
  'Routes whose rules send to the Service.',
);

const trafficShape = z.strictObject({
  service: labelName('The Service that clients use today.'),
  router: z
    .strictObject({ gatewayAPI: z.strictObject({ httpRoutes: httpRouteList }).describe('Gateway API.') })
    .describe('What moves the traffic.'),
  pinService: z
    .boolean()
    .prefault(true)
    .describe('During a rollout, keep the Service itself on stable pods, for clients that pass the gateway by.'),
  onUnpinned: z
    .enum(['Hold', 'Continue'])
    .prefault('Hold')
    .describe('While someone reverts that pin: raise no weight, or go on.'),
  stickiness: stickinessSchema.optional(),
  settle: duration('Time for gateways to take in a change of endpoints or routes.').prefault('2s'),
  drain: duration('Time for requests and connections to end after traffic moved away.').prefault('30s'),
});

const trafficSchema = constrained(trafficShape, 'How clients reach the workload.', {
  rule: 'size(self.service) <= 56',
  message: 'must be at most 56 characters, so that the names of its helper Services fit into 63',
  field: 'service',
  holds: (self) => self.service.length <= 56,
});

const stepList = constrained(
  z.array(stepSchema).min(1).max(50),
  'What happens, in order. Frozen while a rollout is in flight.',
  {
    rule: 'self.filter(s, has(s.weight)).map(s, s.weight).isSorted()',
    message: 'weights must not go down: a lower weight is what a rollback is for',
    holds: (self) => {
      const weights = self.flatMap((step) => step.weight ?? []);
      return weights.every((weight, index) => weight >= (weights[index - 1] ?? 0));
    },
  },
);

export const rolloutSpecSchema = z
  .strictObject({
    workload: workloadSchema,
    traffic: trafficSchema,
    steps: stepList,
    guardrails: keyedList(
      z.array(guardrailSchema).max(MOST_GUARDRAILS),
      'name',
      'What must stay in bounds. None is accepted, with a warning.',
    ).prefault([]),
    mode: z
      .enum(['Act', 'Observe'])
      .prefault('Act')
      .describe('Observe decides and reports, and never writes to workload, Service or route.'),
    paused: z.boolean().prefault(false).describe('Stay at the present step. Guardrails go on.'),
    warmUp: duration('Time after the canary is available before its samples count.').prefault('10s'),
    bake: duration('Time at 100 % before promotion, after the last step.').prefault('60s'),
    progressDeadline: durationOfAtLeast('1s', 'How long the canary may take to become available.').prefault('10m'),
    scaleDownDelay: duration('How long canary pods stay after an abort, for requests in flight.').prefault('30s'),
    fastRevert: z
      .strictObject({
        within: duration(
          'How long after its time a former stable revision may come back without steps; 0s turns this off.',
        ).prefault('24h'),
      })
      .prefault({})
      .describe('Going back to a revision that was stable before is an emergency, not a release.'),
    onDelete: z
      .enum(['KeepHeld', 'RestoreStable', 'Release'])
      .prefault('KeepHeld')
      .describe(
        'What deletion in the middle of a rollout does with the Deployment: leave it paused, put the stable template back, or let it update by itself.',
      ),
  })
  .describe('How a Deployment goes from one revision to the next.');

export type RolloutSpec = z.output<typeof rolloutSpecSchema>;
export type Step = RolloutSpec['steps'][number];
/** What `kubectl apply` sends: durations as text, defaults left out. */
export type RolloutSpecInput = z.input<typeof rolloutSpecSchema>;
