import { canonicalJson } from '../../wire/canonical-json.ts';
import type { Flag } from '../../wire/flag.ts';
import { type BrokenPrerequisite, brokenPrerequisites } from '../evaluation/prerequisites.ts';
import type { CompiledSpec } from './compile-spec.ts';

/** One FeatureFlag of a namespace. */
export interface FlagSource {
  readonly name: string;
  readonly uid: string;
  /** RFC 3339 of the API server, so that text order is time order. */
  readonly createdAt: string;
  readonly key: string;
  /** Its present spec, by itself. */
  readonly current: CompiledSpec;
  /** The newest of its former forms that was accepted. */
  readonly lastGood: Flag | undefined;
  /** What the present spec says, even where the rest of it cannot be used: a kill must work in every case. */
  readonly killSwitch: boolean;
  readonly enabled: boolean;
}

export type FlagReason =
  | 'Compiled'
  | 'Invalid'
  | 'KeyTaken'
  | 'PrerequisiteMissing'
  | 'PrerequisiteCycle'
  | 'TooManyPrerequisites';

export interface Verdict {
  readonly reason: FlagReason;
  /** One sentence for people. */
  readonly message: string;
  /** What the ruleset has of it; undefined: nothing. */
  readonly form: Flag | undefined;
}

export const isAccepted = ({ reason }: Verdict): boolean => reason === 'Compiled';

export interface CompiledFlags {
  /** By key, in the order of keys. */
  readonly flags: Readonly<Record<string, Flag>>;
  /** By name of the resource. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

/**
 * All FeatureFlags of a namespace as the flags of its ruleset. Each is judged on its own: one that cannot be used keeps
 * its last good form, or is left out if it never had one, and takes no other with it. The order of `sources` says nothing.
 */
export function compileFlags(sources: readonly FlagSource[]): CompiledFlags {
  const inOrder = [...sources].sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
  const winners = new Map<string, FlagSource>();
  for (const source of inOrder) if (!winners.has(source.key)) winners.set(source.key, source);
  const judged = withoutMissing(new Map([...winners].map(([key, source]) => [key, alone(source)])), winners);
  const flags = formsOf(judged);
  const broken = brokenPrerequisites(flags);
  const verdicts = new Map<string, Verdict>();
  for (const source of inOrder) {
    const owner = winners.get(source.key) as FlagSource;
    const verdict = judged.get(source.key) as Verdict;
    const unmet = isAccepted(verdict) ? broken.get(source.key) : undefined;
    if (owner !== source) verdicts.set(source.name, taken(source, owner));
    else verdicts.set(source.name, unmet ? { ...verdict, ...neverMet(unmet) } : verdict);
  }
  return { flags, verdicts };
}

type Judged = ReadonlyMap<string, Verdict>;

const ageOf = ({ createdAt, uid }: FlagSource): string => `${createdAt} ${uid}`;

function alone(source: FlagSource): Verdict {
  const { current } = source;
  if (current.ok) return { reason: 'Compiled', message: 'The ruleset says what the spec says.', form: current.flag };
  const [first] = current.problems;
  const more = current.problems.length > 1 ? ` (and ${current.problems.length - 1} more)` : '';
  return instead(source, 'Invalid', `${first?.path} ${first?.message}${more}`);
}

/** What is published in place of a spec that cannot be used. */
function instead(source: FlagSource, reason: FlagReason, why: string): Verdict {
  const { lastGood, killSwitch, enabled } = source;
  if (!lastGood) return { reason, message: `${why}; it is left out of the ruleset`, form: undefined };
  // Both are read from the spec as it stands: whoever kills a flag must not have to repair it first.
  return { reason, message: `${why}; its last good form is served`, form: { ...lastGood, killSwitch, enabled } };
}

const taken = ({ key }: FlagSource, owner: FlagSource): Verdict => ({
  reason: 'KeyTaken',
  message: `the older FeatureFlag ${owner.name} has the key ${key}; it is left out of the ruleset`,
  form: undefined,
});

const neverMet = ({ kind, why }: BrokenPrerequisite): Pick<Verdict, 'reason' | 'message'> => ({
  reason: kind === 'TooMany' ? 'TooManyPrerequisites' : 'PrerequisiteCycle',
  message: `${why}; offVariant is served`,
});

/**
 * In rounds until nothing changes, as a flag that is left out may be what another stands on. All of a round fall at once,
 * and only those that stand on them are looked at in the next: a chain takes time in proportion to its length.
 */
function withoutMissing(alone: Judged, sources: ReadonlyMap<string, FlagSource>): Judged {
  const judged = new Map(alone);
  const dependents = dependentsOf(judged);
  let suspects: ReadonlySet<string> = new Set(judged.keys());
  while (suspects.size > 0) {
    const fallen = [...suspects].flatMap((key): [string, Verdict][] => {
      const verdict = judged.get(key) as Verdict;
      const why = isAccepted(verdict) ? missingFor(verdict.form as Flag, judged) : undefined;
      return why === undefined ? [] : [[key, instead(sources.get(key) as FlagSource, 'PrerequisiteMissing', why)]];
    });
    for (const [key, verdict] of fallen) judged.set(key, verdict);
    suspects = new Set(fallen.flatMap(([key]) => dependents.get(key) ?? []));
  }
  return judged;
}

/** Key → keys of the flags that have it as a prerequisite. */
function dependentsOf(judged: Judged): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>();
  for (const [key, { form }] of judged) {
    for (const { flag } of form?.prerequisites ?? []) {
      const list = dependents.get(flag) ?? [];
      dependents.set(flag, list);
      list.push(key);
    }
  }
  return dependents;
}

function missingFor({ prerequisites = [] }: Flag, judged: Judged): string | undefined {
  for (const { flag, variants } of prerequisites) {
    const other = judged.get(flag)?.form;
    if (!other) return `there is no flag ${flag}, which is a prerequisite`;
    const unknown = variants.find((variant) => !Object.hasOwn(other.variants, variant));
    if (unknown !== undefined) return `the prerequisite ${flag} has no variant ${unknown}`;
  }
  return undefined;
}

function formsOf(judged: Judged): Record<string, Flag> {
  const forms = [...judged].flatMap(([key, { form }]): [string, Flag][] => (form ? [[key, form]] : []));
  return Object.fromEntries(forms.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether an evaluator would answer the same from both. */
export const isSameForm = (one: Flag | undefined, other: Flag | undefined): boolean =>
  one === other || (one !== undefined && other !== undefined && canonicalJson(one) === canonicalJson(other));
