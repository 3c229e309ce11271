import { RESERVED_KEY_PREFIX } from '../../api/feature-flag.ts';
import type { EpochMs } from '../../base/units.ts';
import type { Flag } from '../../wire/flag.ts';
import { RULESET_SCHEMA, type Ruleset } from '../../wire/ruleset.ts';
import { sizeOf } from '../evaluation/admission.ts';
import { timeBoundaries } from '../evaluation/time-boundaries.ts';
import { compileFlags, isSameForm } from './compile-flags.ts';
import { MAX_NOTED_REVISION, type ObservedFlag, type ObservedFlags, type PublishedRuleset } from './observed.ts';
import { expiryOf, type FlagDecision } from './status.ts';

/** A ruleset to which only the time of its making is missing. */
export type UndatedRuleset = Omit<Ruleset, 'issuedAt'>;

export interface FlagsDecision {
  /** To be published; undefined: what is published says the same. */
  readonly ruleset: UndatedRuleset | undefined;
  /** Revision of what evaluators have if nothing is published now. */
  readonly revision: number;
  /** By name of the resource. */
  readonly flags: ReadonlyMap<string, FlagDecision>;
  /** When a flag expires. */
  readonly recheckAt: EpochMs | undefined;
}

/** What the ruleset of a namespace is to say, and what of it is new. Pure: the same seen gives the same decision. */
export function decideFlags(seen: ObservedFlags, now: EpochMs): FlagsDecision {
  const { flags: described, verdicts } = compileFlags(seen.flags.map(({ source }) => source));
  const flags = inOrderOfKeys({ ...described, ...seen.builtIn });
  const before = seen.published?.flags;
  const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(flags)]);
  const changed = new Set([...keys].filter((key) => !isSameForm(own(before, key), own(flags, key))));
  const revision = lastRevision(seen);
  // A namespace that never had a flag gets no ruleset.
  const hasAny = seen.flags.length > 0 || Object.keys(seen.builtIn).length > 0;
  // Somebody has put an older one in its place, or the cluster was restored: evaluators have the one that was published here.
  const isReplaced = (seen.published?.revision ?? 0) < seen.publishedHere;
  const isDue = before === undefined ? hasAny || seen.published !== undefined : changed.size > 0 || isReplaced;
  const decisions = seen.flags.map(({ source }): [string, FlagDecision] => {
    const verdict = verdicts.get(source.name);
    if (!verdict) throw new Error(`no verdict for ${source.name}`); // compileFlags judges every source
    return [source.name, { verdict, changed: verdict.form !== undefined && changed.has(source.key) }];
  });
  return {
    ruleset: isDue ? rulesetOf(seen, flags, revision + 1) : undefined,
    revision,
    flags: new Map(decisions),
    recheckAt: nextExpiry(seen.flags, now),
  };
}

const inOrderOfKeys = (flags: Readonly<Record<string, Flag>>): Record<string, Flag> =>
  Object.fromEntries(Object.entries(flags).sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * For a ruleset that cannot be published for its size: the one before it without flags that are gone, with the kill
 * switches of now, and with what Rollouts took back. Undefined where that says nothing new. It is no larger than what was published already.
 */
export function withSwitchesOnly(
  published: PublishedRuleset | undefined,
  ruleset: UndatedRuleset,
): UndatedRuleset | undefined {
  const before = Object.entries(published?.flags ?? {});
  const flags = Object.fromEntries(
    before.flatMap(([key, flag]) => {
      const now = own(ruleset.flags, key);
      if (!now) return [];
      if (key.startsWith(RESERVED_KEY_PREFIX)) return [[key, takenBack(flag, now)]];
      return [[key, { ...flag, killSwitch: now.killSwitch, enabled: now.enabled }]];
    }),
  );
  const isNew = before.some(([key, flag]) => !isSameForm(flag, own(flags, key)));
  return isNew ? { ...ruleset, flags, timeBoundaries: timeBoundaries(flags) } : undefined;
}

/** A built-in flag that admits no more than it did: what it says now where that only takes back, else nobody. */
function takenBack(before: Flag, now: Flag): Flag {
  const reachOf = ({ rules }: Flag) =>
    sizeOf(rules.flatMap(({ admissions = [] }) => admissions.flatMap((a) => a.ranges)));
  const isSameDraw = before.rules[0]?.admissions?.[0]?.salt === now.rules[0]?.admissions?.[0]?.salt;
  if (isSameDraw) return reachOf(now) <= reachOf(before) ? now : before;
  return { ...before, rules: [] };
}

function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Numbers go on even where the snapshot was lost: the leader and flags remember the one that they were published with. */
function lastRevision({ published, publishedHere, flags }: ObservedFlags): number {
  const noted = flags.map(({ status }) => status.propagation?.desired ?? 0);
  return Math.max(published?.revision ?? 0, publishedHere, ...noted.filter((one) => one <= MAX_NOTED_REVISION));
}

function rulesetOf(
  { namespace, unitHashSalt }: ObservedFlags,
  flags: Ruleset['flags'],
  revision: number,
): UndatedRuleset {
  return {
    schema: RULESET_SCHEMA,
    flagSetId: namespace,
    revision,
    unitHashSalt,
    layers: {},
    flags,
    timeBoundaries: timeBoundaries(flags),
  };
}

function nextExpiry(flags: readonly ObservedFlag[], now: EpochMs): EpochMs | undefined {
  const ahead = flags.flatMap((flag) => expiryOf(flag) ?? []).filter((at) => at > now);
  return ahead.length === 0 ? undefined : (Math.min(...ahead) as EpochMs);
}
