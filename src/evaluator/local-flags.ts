import { SluiceError } from '../base/errors.ts';
import type { EpochMs } from '../base/units.ts';
import { timeBoundaries } from '../core/evaluation/time-boundaries.ts';
import { compileFlags, type FlagSource, isAccepted } from '../core/flags/compile-flags.ts';
import { type FlagManifest, readFlag } from '../core/flags/flag-source.ts';
import type { Flag } from '../wire/flag.ts';
import { parseRuleset, RULESET_SCHEMA, type Ruleset } from '../wire/ruleset.ts';

/** Hashes of units in local mode compare with nothing outside, so nothing has to be secret. */
const LOCAL_UNIT_HASH_SALT = 'local';
const DEFAULT_FLAG_SET = 'default';

export interface LocalRuleset {
  readonly ruleset: Ruleset;
  /** FeatureFlags that are not served as they stand, each with the reason. */
  readonly notAccepted: readonly { readonly name: string; readonly why: string }[];
  /** FeatureFlags of other namespaces, which are left aside. */
  readonly others: number;
}

/** Makes rulesets of FeatureFlags in files as the operator makes them of those in a namespace. Remembers the last good forms. */
export class LocalFlags {
  readonly #namespace: string | undefined;
  #lastGood: ReadonlyMap<string, Flag> = new Map();
  /** What was compiled last; where no flag is left, nothing else says whose they were. */
  #flagSetId = DEFAULT_FLAG_SET;
  #revision = 0;

  /** `namespace`: whose flags these are; undefined: the one that the objects name, or `default`. */
  constructor(namespace: string | undefined) {
    this.#namespace = namespace;
  }

  /** Of two objects of one name or key the first counts. Throws SLUICE_FLAG_FILE where the objects fit no ruleset. */
  compile(objects: readonly FlagManifest[], now: EpochMs): LocalRuleset {
    const flagSetId = this.#namespace ?? (objects.length > 0 ? onlyNamespace(objects) : this.#flagSetId);
    const own = objects.filter(({ metadata }) => (metadata.namespace ?? flagSetId) === flagSetId);
    const [first, second] = splitRepeated(own);
    const sources = first.map((object, index) => this.#read(object, flagSetId, index));
    const { flags, verdicts } = compileFlags(sources);
    this.#lastGood = lastGoodOf(sources, this.#lastGood);
    const ruleset: Ruleset = {
      schema: RULESET_SCHEMA,
      flagSetId,
      revision: this.#revision + 1,
      issuedAt: new Date(now).toISOString(),
      unitHashSalt: LOCAL_UNIT_HASH_SALT,
      layers: {},
      flags,
      timeBoundaries: timeBoundaries(flags),
    };
    checkWhole(ruleset);
    this.#revision++;
    this.#flagSetId = flagSetId;
    const refused = [...verdicts].filter(([, verdict]) => !isAccepted(verdict));
    const notAccepted = [
      ...refused.map(([name, { message }]) => ({ name, why: message })),
      ...second.map(({ metadata: { name } }) => ({ name, why: 'there is another of this name; the first one counts' })),
    ];
    return { ruleset, notAccepted, others: objects.length - own.length };
  }

  /** The place in the files stands for the age. */
  #read(object: FlagManifest, namespace: string, index: number): FlagSource {
    const { name } = object.metadata;
    const { source } = readFlag({ spec: object.spec, ...header(object), metadata: { name, namespace } });
    return {
      ...source,
      uid: name,
      createdAt: String(index).padStart(9, '0'),
      lastGood: this.#lastGood.get(name),
    };
  }
}

/** A status in a file is of some cluster: it says nothing here. */
const header = (object: FlagManifest): object => {
  const { apiVersion, kind } = object as { apiVersion?: unknown; kind?: unknown };
  return { apiVersion, kind };
};

function onlyNamespace(objects: readonly FlagManifest[]): string {
  const named = [...new Set(objects.flatMap(({ metadata: { namespace } }) => namespace ?? []))];
  if (named.length > 1) {
    const list = named.slice(0, 5).join(', ');
    throw new SluiceError(
      'SLUICE_FLAG_FILE',
      `the files hold flags of several namespaces (${list}): choose by --namespace`,
    );
  }
  return named[0] ?? DEFAULT_FLAG_SET;
}

function splitRepeated(objects: readonly FlagManifest[]): [first: FlagManifest[], second: FlagManifest[]] {
  const names = new Set<string>();
  const first: FlagManifest[] = [];
  const second: FlagManifest[] = [];
  for (const object of objects) {
    (names.has(object.metadata.name) ? second : first).push(object);
    names.add(object.metadata.name);
  }
  return [first, second];
}

function lastGoodOf(sources: readonly FlagSource[], before: ReadonlyMap<string, Flag>): Map<string, Flag> {
  return new Map(
    sources.flatMap(({ name, current }): [string, Flag][] => {
      const good = current.ok ? current.flag : before.get(name);
      return good ? [[name, good]] : [];
    }),
  );
}

/** Each flag was checked by itself; how many there are, and how large the whole is, was not. */
function checkWhole(ruleset: Ruleset): void {
  const parsed = parseRuleset(ruleset);
  if (parsed.ok) return;
  const [first] = parsed.problems;
  throw new SluiceError('SLUICE_FLAG_FILE', `together the flags are no ruleset: ${first?.path} ${first?.message}`);
}
