import type { InFlight } from '../../api/rollout-status.ts';
import type { Stickiness } from '../../api/stickiness.ts';
import { FULL_WEIGHT_BP } from '../../base/units.ts';
import type { Flag } from '../../wire/flag.ts';
import {
  REVISION_HEADER,
  ROLLOUT_EXTENSION,
  rolloutFlagKey,
  UNIT_HEADER,
  UNITS_EXTENSION,
  unitSourcesText,
  VARIANT_HEADER,
} from '../../wire/per-user-routing.ts';
import { resizeAdmission } from '../evaluation/admission.ts';
import type { PerUser } from './route-plan.ts';

/** Request headers that only the evaluator may set. */
export const EVALUATOR_HEADERS: readonly string[] = [VARIANT_HEADER, UNIT_HEADER, REVISION_HEADER];

/** The units as the gateway tells them to the evaluator. */
const unitsText = ({ unit }: Stickiness): string =>
  unitSourcesText(
    unit.map(({ cookie, header }) =>
      cookie === undefined ? { kind: 'header', name: (header ?? '').toLowerCase() } : { kind: 'cookie', name: cookie },
    ),
  );

/** Whether a share of units, not of requests, is to be on the canary: evaluators must know it. */
export const isPartial = ({ stickiness, weightBp }: Pick<InFlight, 'stickiness' | 'weightBp'>): boolean =>
  stickiness !== undefined && weightBp > 0 && weightBp < FULL_WEIGHT_BP;

/** Stages after the rules that Sluice added are gone: the route's own weight carries all traffic. */
const cleared = new Set<InFlight['stage']>(['ClearingRules', 'PinningCanary']);

/**
 * The rule for those whom the evaluator calls canary of this revision. It stays at 100 %, where nobody needs it, until promotion: if it went
 * while the weight comes, someone could meet stable in between.
 */
export function perUserOf({
  hash,
  stickiness,
  steps,
  weightBp,
  stage,
}: Pick<InFlight, 'hash' | 'stickiness' | 'steps' | 'weightBp' | 'stage'>): PerUser | undefined {
  if (!stickiness || weightBp === 0 || cleared.has(stage)) return undefined;
  const weighed = steps.findIndex(({ weight }) => weight !== undefined && weight > 0);
  const matched = steps.findIndex(({ match }) => match !== undefined);
  return {
    match: { headers: [{ name: REVISION_HEADER, value: hash, type: 'Exact' }] },
    // Rules that Sluice appends never move, so the one that came first stays first.
    isFirst: matched < 0 || (weighed >= 0 && weighed < matched),
  };
}

/** What the ruleset needs to know of a Rollout. */
export interface StickyRollout {
  readonly namespace: string;
  readonly name: string;
  readonly flight: Pick<InFlight, 'hash' | 'stickiness' | 'weightBp'> | undefined;
}

export const flagKeyOf = ({ namespace, name }: Pick<StickyRollout, 'namespace' | 'name'>): string =>
  rolloutFlagKey(`${namespace}/${name}`);

/**
 * The built-in flag of a Rollout: who gets the canary, as far as status has it. Ranges begin at 0 for every weight, so a
 * raise only adds units; the salt names the revision, so that it is not always the same people who go first. The rule is called
 * by the revision: it is what the evaluator tells the gateway.
 */
export function flagOf({ namespace, name, flight }: StickyRollout): Flag {
  const weightBp = flight?.stickiness ? flight.weightBp : 0;
  const salt = `${flagKeyOf({ namespace, name })}@${flight?.hash}`;
  const ranges = resizeAdmission([], weightBp) ?? [];
  const admission = { unit: 'targetingKey', hash: 'murmur3-32/1' as const, salt, ranges };
  return {
    type: 'string',
    variants: { stable: 'stable', canary: 'canary' },
    offVariant: 'stable',
    defaultVariant: 'stable',
    enabled: true,
    killSwitch: false,
    clientSide: false,
    rules: flight && weightBp > 0 ? [{ id: flight.hash, admissions: [admission], serve: { variant: 'canary' } }] : [],
  };
}

/** What the gateway tells the evaluator with every request. */
export const contextExtensions = (
  { namespace, name }: Pick<StickyRollout, 'namespace' | 'name'>,
  stickiness: Stickiness,
): readonly { readonly name: string; readonly value: string }[] => [
  { name: ROLLOUT_EXTENSION, value: `${namespace}/${name}` },
  { name: UNITS_EXTENSION, value: unitsText(stickiness) },
];

/** Headers of a request that the evaluator reads: where units stand, and whether a cookie may be made. */
export const headersAsked = ({ unit }: Stickiness): readonly string[] => {
  const units = unit.map(({ header }) => header?.toLowerCase() ?? 'cookie');
  return [...new Set([...units, 'accept', 'sec-fetch-mode', 'sec-fetch-dest'])];
};
