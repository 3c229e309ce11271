import type { Admission } from '../../wire/draw.ts';
import type { Flag } from '../../wire/flag.ts';
import { pathText, type WireProblem } from '../../wire/json.ts';
import type { Ruleset } from '../../wire/ruleset.ts';
import { type CompiledFlag, compileFlag } from './compile-flag.ts';
import { brokenPrerequisites } from './prerequisites.ts';
import { windowTimes } from './time-boundaries.ts';

/** A ruleset ready to be asked. Nothing in it changes: swap the whole. */
export interface CompiledRuleset {
  readonly flagSetId: string;
  readonly revision: number;
  readonly unitHashSalt: string;
  readonly flags: ReadonlyMap<string, CompiledFlag>;
  /** Times at which answers may change by the clock alone, milliseconds since 1970, ascending. */
  readonly timeBoundariesMs: readonly number[];
  /** Parts that never match. A ruleset of the operator has none: it checks each flag with `flagProblems`. */
  readonly problems: readonly (WireProblem & { readonly flag: string })[];
}

/** Compiles a ruleset that was parsed. Never throws: parts that cannot be compiled never match, and are listed. */
export function compileRuleset(ruleset: Ruleset): CompiledRuleset {
  const problems: (WireProblem & { flag: string })[] = [];
  const flags = new Map<string, CompiledFlag>();
  const broken = brokenPrerequisites(ruleset.flags);
  const common = { flagSetId: ruleset.flagSetId, version: String(ruleset.revision) };
  for (const [key, flag] of Object.entries(ruleset.flags)) {
    const report = (path: readonly PropertyKey[], message: string) => {
      problems.push({ flag: key, path: pathText(path), message });
    };
    const unmeetable = broken.get(key);
    if (unmeetable !== undefined) report(['prerequisites'], unmeetable.why);
    const around = {
      common,
      layers: ruleset.layers,
      flagOf: (other: string) => flags.get(other),
      brokenPrerequisite: unmeetable?.prerequisite,
      report,
    };
    flags.set(key, compileFlag(key, flag, around));
  }
  const { flagSetId, revision, unitHashSalt } = ruleset;
  const timeBoundariesMs = windowTimes(ruleset.flags).map(({ ms }) => ms);
  return { flagSetId, revision, unitHashSalt, flags, timeBoundariesMs, problems };
}

/** Stands for admissions by layers, which are not looked at. */
const nobody: Admission = { unit: 'targetingKey', hash: 'murmur3-32/1', salt: '', ranges: [] };

/** What is wrong with one flag by itself, whatever else is in the ruleset: patterns, networks, versions, segments. */
export function flagProblems(key: string, flag: Flag): readonly WireProblem[] {
  const { prerequisites: _, holdouts: __, experiments = [], ...rest } = flag;
  const alone = { ...rest, experiments: experiments.map((one) => ({ ...one, admission: nobody })) };
  const problems: WireProblem[] = [];
  compileFlag(key, alone, {
    common: { flagSetId: '', version: '' },
    layers: {},
    flagOf: () => undefined,
    report: (path, message) => problems.push({ path: pathText(path), message }),
  });
  return problems;
}
