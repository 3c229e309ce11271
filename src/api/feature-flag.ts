import { z } from 'zod';
import type { EpochMs } from '../base/units.ts';
import { constrained, keyedList, setList } from './constraint.ts';
import { crossChecked } from './feature-flag-references.ts';
import { conditionSchema } from './flag-condition.ts';
import { ruleList } from './flag-rule.ts';
import { givenName, lineOf, namedMap } from './named-map.ts';
import { opaque } from './opaque.ts';

const DAY_MS = 86_400_000;
/** Flags of this prefix are made by Sluice itself: one for each Rollout with stickiness. */
export const RESERVED_KEY_PREFIX = 'rollout/';

const flagKey = (description: string) => lineOf(253, description);

/** A day of UTC in the resource; inside, the millisecond at which it has ended. */
const lastDay = (description: string) =>
  z
    .codec(z.iso.date(), z.custom<EpochMs>(), {
      decode: (text) => (Date.parse(text) + DAY_MS) as EpochMs,
      encode: (ms) => new Date(ms - DAY_MS).toISOString().slice(0, 10),
    })
    .describe(description);

const ownKey = constrained(flagKey(''), 'What applications ask for. Cannot change. Default: metadata.name.', {
  rule: `!self.startsWith('${RESERVED_KEY_PREFIX}')`,
  message: `must not start with ${RESERVED_KEY_PREFIX}, which is for the flags of Rollouts`,
  holds: (key) => !key.startsWith(RESERVED_KEY_PREFIX),
});

const overrideSchema = z
  .strictObject({
    units: setList(z.array(z.string().min(1).max(512)).min(1).max(1000), 'Targeting keys.'),
    variant: givenName('The variant that they get.'),
  })
  .describe('Targeting keys that get a fixed variant, before every rule.');

const prerequisiteSchema = z
  .strictObject({
    flag: flagKey('Key of another flag of this namespace.'),
    variants: setList(
      z.array(givenName('A variant of it.')).min(1).max(64),
      'Variants of it, one of which must be served.',
    ),
  })
  .describe('What another flag must serve for this one to be evaluated.');

const variants = namedMap(
  opaque(z.json(), 'A value of the type that `type` names.'),
  { least: 1, most: 64 },
  'Values by name. All are of the type that `type` names.',
);

const shape = z.strictObject({
  key: ownKey.optional(),
  purpose: z
    .enum(['Release', 'Experiment', 'Operational', 'Permission'])
    .prefault('Release')
    .describe('What the flag is for.'),
  owner: z.string().max(253).optional().describe('Who answers for this flag.'),
  description: z.string().max(4096).optional().describe('What the flag does.'),
  expiresAfter: lastDay(
    'Last day (UTC) of a release flag: later the condition `Expired` is true. It is served on.',
  ).optional(),
  type: z.enum(['boolean', 'string', 'number', 'object']).describe('Type of all its values.'),
  variants,
  offVariant: givenName('Served when the kill switch is on or a prerequisite is not met.'),
  defaultVariant: givenName('Served when no rule decides.'),
  enabled: z.boolean().prefault(true).describe('Off: applications use the default in their own code.'),
  killSwitch: z.boolean().prefault(false).describe('On: everyone gets offVariant, whatever else is said here.'),
  clientSide: z.boolean().prefault(false).describe('Whether browsers and phones may evaluate it.'),
  salt: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe('Replaces `<namespace>/<key>#<rule id>` in the salt of every split; a new one deals anew.'),
  overrides: z
    .array(overrideSchema)
    .max(32)
    .describe('Fixed variants for some units. The first that names one counts.')
    .prefault([]),
  prerequisites: keyedList(
    z.array(prerequisiteSchema).max(16),
    'flag',
    'All of them must be met; otherwise offVariant is served.',
  ).prefault([]),
  segments: namedMap(
    conditionSchema('Who belongs to the segment.'),
    { least: 0, most: 32 },
    'Conditions by name, for rules to refer to.',
  ).prefault({}),
  rules: ruleList,
});

export const featureFlagSpecSchema = crossChecked(shape).describe('What a flag serves to whom.');

export type FeatureFlagSpec = z.output<typeof shape>;
/** What `kubectl apply` sends: defaults left out. */
export type FeatureFlagSpecInput = z.input<typeof shape>;
