import type { FeatureFlagSpec } from '../../api/feature-flag.ts';
import type { FlagCondition } from '../../api/flag-condition.ts';
import type { Condition } from '../../wire/condition.ts';
import type { Admission, HashName, Split } from '../../wire/draw.ts';
import { type Flag, flagSchema, type Rule } from '../../wire/flag.ts';
import { jsonProblem, type WireProblem } from '../../wire/json.ts';
import { LIMITS } from '../../wire/limits.ts';
import { wireProblems } from '../../wire/ruleset.ts';
import { armEnds } from '../evaluation/arms.ts';
import { flagProblems } from '../evaluation/compile.ts';
import { admissionSalt, type Drawing, splitSalt } from './salts.ts';

const DEFAULT_UNIT = 'targetingKey';
const DEFAULT_HASH: HashName = 'murmur3-32/1';
/** Hashes of imports that count in the sum of their weights, not in 10,000 buckets. */
const COUNTS_IN_WEIGHTS: readonly HashName[] = ['unleash/1', 'flagd/2'];

export type CompiledSpec =
  | { readonly ok: true; readonly flag: Flag }
  /** At least one problem; paths begin at the object, `spec.rules[0].when`. */
  | { readonly ok: false; readonly problems: readonly WireProblem[] };

type RuleSpec = FeatureFlagSpec['rules'][number];

/**
 * The form of one flag in a ruleset. Says what is wrong with it by itself: patterns, networks, versions, values that do not
 * fit their operator. Other flags that it names are `compileFlags`' to judge. The same spec gives the same form.
 */
export function compileSpec(namespace: string, key: string, spec: FeatureFlagSpec): CompiledSpec {
  const uneven = unevenWeights(spec);
  if (uneven.length > 0) return { ok: false, problems: uneven };
  const form = flagOf(namespace, key, spec);
  const unfit = unfitForRuleset(key, form);
  if (unfit) return { ok: false, problems: [inSpec(unfit)] };
  const parsed = flagSchema.safeParse(form);
  if (!parsed.success) return { ok: false, problems: wireProblems(parsed.error).map(inSpec) };
  const flag = parsed.data as Flag;
  const problems = flagProblems(key, flag);
  return problems.length === 0 ? { ok: true, flag } : { ok: false, problems: problems.map(inSpec) };
}

/**
 * What would keep a whole ruleset from being read, looked for where the flag will stand in it: names like `__proto__`, lone
 * surrogates, too many levels. One such flag must not take all others with it.
 */
function unfitForRuleset(key: string, form: object): WireProblem | undefined {
  const problem = jsonProblem({ flags: Object.fromEntries([[key, form]]) }, LIMITS.rulesetChars);
  if (!problem) return undefined;
  const path = problem.path.slice(`flags.${key}.`.length);
  return { ...problem, path: path === '' ? 'key' : path };
}

const inSpec = ({ path, message }: WireProblem): WireProblem => ({ path: `spec.${path}`, message });

function flagOf(namespace: string, key: string, spec: FeatureFlagSpec): object {
  const { type, variants, offVariant, defaultVariant, enabled, killSwitch, clientSide } = spec;
  const segments = Object.entries(spec.segments).map(([name, root]) => [name, conditionOf(root)]);
  return {
    ...{ type, variants, offVariant, defaultVariant, enabled, killSwitch, clientSide },
    ...(spec.overrides.length > 0 && { overrides: spec.overrides }),
    ...(spec.prerequisites.length > 0 && { prerequisites: spec.prerequisites }),
    ...(segments.length > 0 && { segments: Object.fromEntries(segments) }),
    rules: spec.rules.map((rule) => ruleOf(rule, { namespace, key, ruleId: rule.id, salt: spec.salt })),
  };
}

function ruleOf({ id, when, admissions = [], serve }: RuleSpec, drawing: Drawing): Rule {
  return {
    id,
    ...(when && { when: conditionOf(when) }),
    ...(admissions.length > 0 && {
      admissions: admissions.map((one, index) => admissionOf(one, admissionSalt(drawing, index))),
    }),
    serve: serve.split ? { split: splitOf(serve, splitSalt(drawing)) } : { variant: serve.variant ?? '' },
  };
}

function admissionOf(
  { percent = 0, ranges, unit = DEFAULT_UNIT, hash = DEFAULT_HASH, salt }: NonNullable<RuleSpec['admissions']>[number],
  ownSalt: string,
): Admission {
  const bucketsOf = Math.round(percent * 100);
  const fromBottom: [number, number][] = bucketsOf === 0 ? [] : [[0, bucketsOf]];
  return { unit, hash, salt: salt ?? ownSalt, ranges: ranges?.map(({ from, to }) => [from, to]) ?? fromBottom };
}

function splitOf(
  { split = [], unit = DEFAULT_UNIT, hash = DEFAULT_HASH, salt }: RuleSpec['serve'],
  ownSalt: string,
): Split {
  const weights = split.map(({ weight }) => weight);
  const ends = COUNTS_IN_WEIGHTS.includes(hash) ? runningSums(weights) : armEnds(weights);
  const arms = split.map(({ variant }, index) => ({ variant, end: ends[index] as number }));
  return { unit, hash, salt: salt ?? ownSalt, arms };
}

function runningSums(weights: readonly number[]): number[] {
  let sum = 0;
  return weights.map((weight) => {
    sum += weight;
    return sum;
  });
}

function unevenWeights({ rules }: FeatureFlagSpec): WireProblem[] {
  return rules.flatMap(({ serve }, index) => {
    if (!COUNTS_IN_WEIGHTS.includes(serve.hash ?? DEFAULT_HASH)) return [];
    return (serve.split ?? []).flatMap(({ weight }, arm) =>
      Number.isInteger(weight)
        ? []
        : [{ path: `spec.rules[${index}].serve.split[${arm}].weight`, message: `must be whole for ${serve.hash}` }],
    );
  });
}

/** Without the fields that are not set: in a ruleset nothing is undefined. */
function conditionOf(root: FlagCondition): Condition {
  const { all, any, not, attr, op, value, ignoreCase, segment, time } = root;
  if (all) return { all: all.map(conditionOf) };
  if (any) return { any: any.map(conditionOf) };
  if (not) return { not: conditionOf(not) };
  if (segment !== undefined) return { segment };
  if (time) {
    const { after, before } = time;
    return { time: { ...(after !== undefined && { after }), ...(before !== undefined && { before }) } } as Condition;
  }
  const compared = { attr, op, ...(value !== undefined && { value }), ...(ignoreCase !== undefined && { ignoreCase }) };
  // Whether the value fits the operator is what `flagSchema` then says.
  return compared as Condition;
}
