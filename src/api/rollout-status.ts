import { z } from 'zod';
import { conditionList } from './condition.ts';
import { keyedList, setList } from './constraint.ts';
import { labelName, objectName, prose, time } from './fields.ts';
import { MOST_GUARDRAILS } from './guardrail.ts';
import { stepSchema } from './rollout.ts';
import { stickinessSchema } from './stickiness.ts';

export const phases = [
  'Initializing',
  'Healthy',
  'Progressing',
  'Paused',
  'AwaitingApproval',
  'AwaitingEvidence',
  'Promoting',
  'RollingBack',
  'RolledBack',
] as const;

/** Where a rollout in flight stands, in the order of writes of docs/rollouts.md. */
export const stages = [
  // start
  'Preparing', // record, pin, helper Services, canary set, its pods, EndpointSlices
  'SettlingEndpoints',
  'TakingRoute', // route to -stable 100, -canary 0
  'Observing', // mode Observe: only guardrails
  // steps
  'Scaling', // canary at the size that the step needs
  'Routing', // the gateway takes in the step's plan
  'Holding',
  // promotion
  'Baking',
  'ClearingRules', // match and mirror rules disarmed and removed
  'PinningCanary',
  'ReturningRoute', // route back to the user's own Service
  'DrainingRoute',
  'HandingOver',
  // after the point of no return
  'Resuming',
  'FinishingRoute', // only where the Service could not be pinned
  'Unpinning',
  'Cleaning',
  // retreat
  'Lowering',
  'Draining',
  'PinningStable',
  'ScalingDown',
  'RestoringRoute',
  'UnpinningStable',
  'CleaningUp',
] as const;

const verdicts = ['Safe', 'Harm', 'NoEvidence', 'ProviderDown'] as const;

const guardrailStatusSchema = z
  .object({
    name: z.string().max(63).describe('Name of the guardrail.'),
    verdict: z.enum(verdicts).describe('What the last samples say.'),
    reason: z.string().max(64).describe('Why.'),
    message: prose(1024, 'In a sentence, with the numbers.').optional(),
    value: z.number().optional().describe('Last value of the canary.'),
    stableValue: z.number().optional().describe('Last value of stable, where it is compared.'),
    at: time('When the last sample was taken.').optional(),
    outOfBounds: z
      .array(z.boolean())
      .max(20)
      .prefault([])
      .describe('The last samples, oldest first: true where out of bounds. This is the failure budget.'),
    silentSince: time('Since when there is no evidence or no provider, the two taken together.').optional(),
    sameSilenceSince: time('Since when it is the present one of the two.').optional(),
  })
  .describe('The state of one guardrail.');

const retreatReasons = [
  'AbortAsked',
  'Breach',
  'PodsFailing',
  'CannotServe',
  'NewTemplate',
  'StableReturned',
  'Deleted',
  'GateLost',
  'NoEvidence',
  'ProviderDown',
  'Released',
  'ScaledToZero',
] as const;

const routerSchema = z
  .object({
    service: labelName('The Service that clients use.'),
    httpRoutes: setList(z.array(objectName('Name of an HTTPRoute.')).max(8), 'Routes whose rules send to the Service.'),
    pinService: z.boolean().describe('Whether the Service itself is kept on one revision.'),
  })
  .describe('The frozen router. Absent where an older version began the rollout: then it is that of the spec.');

const inFlightSchema = z
  .object({
    hash: z.string().max(63).describe('pod-template-hash of the canary.'),
    stableHash: z.string().max(63).describe('pod-template-hash of stable when this began.'),
    generation: z
      .int()
      .describe('metadata.generation of the Deployment that started it; `kubectl sluice status` waits for it.'),
    startedAt: time('When the new template was seen.'),
    fastRevert: z.boolean().prefault(false).describe('A return to a former stable revision: no steps.'),
    takenOver: z.boolean().prefault(false).describe('The canary set is one that the Deployment had kept.'),
    steps: z.array(stepSchema).max(50).describe('The frozen plan.'),
    stickiness: stickinessSchema.optional(),
    router: routerSchema.optional(),
    step: z.int().min(0).describe('Index of the present step; equal to the number of steps when all are done.'),
    stage: z.enum(stages).describe('Where in the order of writes it stands.'),
    stageSince: time('Since when.'),
    weightBp: z
      .int()
      .min(0)
      .max(10_000)
      .describe('Weight of the canary that the route is meant to have, in basis points.'),
    servedBy: z
      .int()
      .min(0)
      .optional()
      .describe('Ready endpoints of the canary when it last was complete; it keeps its traffic with half of them.'),
    matchStep: z.int().optional().describe('Step whose match rule is meant to be aimed at the canary.'),
    shadowStep: z.int().optional().describe('Step whose mirror is meant to be on.'),
    hold: z
      .object({
        doneMs: z.int().min(0).describe('Good time of this step so far.'),
        at: time('Up to when it is counted.'),
        effectiveAt: time('Since when the step is effective: routed, canary available and warm.').optional(),
        proven: z
          .array(
            z
              .object({
                name: z.string().max(63).describe('Name of the guardrail.'),
                from: time('From when.'),
                to: time('Up to when.'),
              })
              .describe('Time that one guardrail proves without a gap.'),
          )
          .max(40)
          .optional()
          .describe('What each guardrail proves; time counts where all do.'),
      })
      .optional()
      .describe('Progress of the present hold.'),
    approvedStep: z
      .int()
      .optional()
      .describe('Step that a person let pass: an approve step, or one that waited for evidence.'),
    skipTo: z.int().optional().describe('`promote` was asked: holds before this step are passed over.'),
    full: z
      .boolean()
      .prefault(false)
      .describe('`promote --full` was asked: to 100 without further steps, guardrails on.'),
    unavailableSince: time(
      'Since when the canary lacks available pods; the progress deadline runs from here.',
    ).optional(),
    lowered: z
      .object({
        at: time('When.'),
        weightBp: z.int().describe('Weight to come back to.'),
        matchStep: z.int().optional().describe('Match rule to come back to.'),
      })
      .optional()
      .describe('Set while the canary cannot serve and traffic was taken from it.'),
    loweredCount: z.int().min(0).prefault(0).describe('How often that happened; the third time rolls back.'),
    policiesGone: z
      .boolean()
      .optional()
      .describe('Set at the end, when the policies that Sluice attached for stickiness are removed.'),
    retreat: z
      .object({
        reason: z.enum(retreatReasons).describe('Why traffic goes back to stable.'),
        message: prose(1024, 'In a sentence.'),
        at: time('When it was decided.'),
      })
      .optional()
      .describe('Set while going back.'),
  })
  .describe('The rollout in flight.');

const promotedSchema = z
  .object({
    hash: z.string().max(63).describe('pod-template-hash.'),
    digest: z
      .string()
      .max(63)
      .optional()
      .describe('Of the template, computed by Sluice: names the revision where its ReplicaSet is gone.'),
    since: time('When it became stable.'),
    until: time('When another took its place.').optional(),
    leftByFastRevert: z
      .boolean()
      .prefault(false)
      .describe('A fast revert left it: it must pass its steps to come back.'),
  })
  .describe('A revision that was stable.');

export const rolloutStatusSchema = z
  .object({
    observedGeneration: z.int().optional().describe('metadata.generation of the spec that this status speaks of.'),
    phase: z.enum(phases).prefault('Initializing').describe('Where the Rollout stands.'),
    step: z.string().max(16).optional().describe('Step in words, 3/7.'),
    weight: z.string().max(16).optional().describe('Share of traffic on the canary, in words.'),
    verdict: z.enum(verdicts).optional().describe('The worst of the guardrails.'),
    reason: z.string().max(64).optional().describe('One word: what it waits for, or why it stands where it stands.'),
    message: prose(1024, 'The same in a sentence.').optional(),
    nextAt: time('When time alone will move it on.').optional(),
    stable: promotedSchema.optional().describe('The revision that users are on.'),
    inFlight: inFlightSchema.optional(),
    rolledBack: z
      .object({
        hash: z.string().max(63).describe('pod-template-hash that is not tried again until `retry`.'),
        at: time('When traffic was lowered.'),
        reason: z.enum(retreatReasons).describe('Why.'),
        message: prose(1024, 'In a sentence.'),
      })
      .optional()
      .describe('The last revision that was rolled back, while the Deployment still asks for it.'),
    epoch: z
      .int()
      .min(0)
      .prefault(0)
      .describe('Rises with every raise; a late write of an old leader carries an old one.'),
    notBefore: time('A retry waits until here, so that old samples do not count.').optional(),
    pausedByAction: z.boolean().prefault(false).describe('`pause` was asked and `resume` was not.'),
    promoted: z.array(promotedSchema).max(10).prefault([]).describe('Former stable revisions, newest first.'),
    guardrails: keyedList(
      z.array(guardrailStatusSchema).max(2 * MOST_GUARDRAILS),
      'name',
      'State of each guardrail.',
    ).prefault([]),
    conditions: conditionList(
      'Accepted, Ready, Gated, ServicePinned, Progressing, GuardrailsHealthy, TrafficProgrammed.',
    ),
    actionIds: z.array(z.string().max(128)).max(20).prefault([]).describe('Actions that were consumed, newest first.'),
    transitions: z
      .array(
        z
          .object({
            at: time('When.'),
            from: z.string().max(64).describe('Phase before.'),
            to: z.string().max(64).describe('Phase after.'),
            reason: z.string().max(64).describe('Why.'),
            message: prose(1024, 'The evidence, in a sentence.').optional(),
            by: z.string().max(253).prefault('sluice').describe('Who.'),
          })
          .describe('One change.'),
      )
      .max(20)
      .prefault([])
      .describe('The last changes, newest first.'),
  })
  .describe('What Sluice did and why. Written by Sluice only.');

export type RolloutStatus = z.output<typeof rolloutStatusSchema>;
export type Phase = RolloutStatus['phase'];
export type InFlight = NonNullable<RolloutStatus['inFlight']>;
export type Stage = InFlight['stage'];
export type Verdict = (typeof verdicts)[number];
export type GuardrailStatus = RolloutStatus['guardrails'][number];
export type RetreatReason = (typeof retreatReasons)[number];
export type Promoted = z.output<typeof promotedSchema>;
