import { z } from 'zod';
import { hash, ranges } from './draw.ts';
import { type Flag, flagSchema, isInLayer } from './flag.ts';
import { jsonProblem, pathText, type WireProblem } from './json.ts';
import { LIMITS } from './limits.ts';
import { attribute, flagKey, flagSetId, instant, name, revision, salt } from './names.ts';

export const RULESET_SCHEMA = 'sluice.ruleset/v1';
const RULESET_FAMILY = /^sluice\.ruleset\/v([1-9][0-9]{0,3})$/;

/** A space of 10,000 buckets. Its holdouts draw under salts of their own, by the unit and hash of the layer. */
const layerSchema = z.strictObject({
  unit: attribute,
  hash,
  salt,
  holdouts: z.record(name('A holdout.'), z.strictObject({ salt, ranges })).exactOptional(),
});
export type Layer = z.output<typeof layerSchema>;

const shape = z.strictObject({
  schema: z.literal(RULESET_SCHEMA),
  flagSetId,
  revision,
  issuedAt: instant.describe('When the operator made this revision.'),
  unitHashSalt: salt.describe('Salt of the installation for the hashes of units in events. Never rotated.'),
  layers: z.record(name('A layer.'), layerSchema),
  flags: z.record(flagKey, flagSchema),
  timeBoundaries: z
    .array(instant)
    .max(LIMITS.timeBoundaries)
    .describe(
      'Times at which answers may change by the clock alone, ascending: what `timeBoundaries` of core/evaluation says.',
    ),
});

/** A whole ruleset: everything that an evaluator knows of one flag set. */
export const rulesetSchema = shape.superRefine((ruleset, context) => {
  for (const [path, message] of rulesetProblems(ruleset))
    context.addIssue({ code: 'custom', path: [...path], message });
});
export type Ruleset = Omit<z.output<typeof shape>, 'flags'> & { flags: Record<string, Flag> };

type Problem = readonly [path: readonly PropertyKey[], message: string];

/**
 * What flags that are good one by one can break together: how many of everything there are, and how much text. Undefined: no evaluator
 * refuses it for its size.
 */
export function sizeProblem(ruleset: Ruleset): WireProblem | undefined {
  for (const [path, message] of countProblems(ruleset)) return { path: pathText(path), message };
  return jsonProblem(ruleset, LIMITS.rulesetChars);
}

function* countProblems(ruleset: Pick<Ruleset, 'flags' | 'layers' | 'timeBoundaries'>): Generator<Problem> {
  for (const list of ['flags', 'layers', 'timeBoundaries'] as const) {
    if (Object.keys(ruleset[list]).length > LIMITS[list]) yield [[list], `must have at most ${LIMITS[list]} entries`];
  }
}

function* rulesetProblems(ruleset: z.output<typeof shape>): Generator<Problem> {
  yield* countProblems(ruleset as Ruleset);
  for (const [key, layer] of Object.entries(ruleset.layers)) {
    if (Object.keys(layer.holdouts ?? {}).length > LIMITS.holdoutsPerLayer) {
      yield [['layers', key, 'holdouts'], `must have at most ${LIMITS.holdoutsPerLayer} entries`];
    }
  }
  for (const [key, flag] of Object.entries(ruleset.flags)) {
    for (const [path, message] of layerProblems(ruleset, flag)) yield [['flags', key, ...path], message];
  }
}

function* layerProblems(ruleset: z.output<typeof shape>, flag: z.output<typeof flagSchema>): Generator<Problem> {
  const layerOf = (named: string) => (Object.hasOwn(ruleset.layers, named) ? ruleset.layers[named] : undefined);
  for (const [index, { admission }] of (flag.experiments ?? []).entries()) {
    if (!isInLayer(admission) || layerOf(admission.layer)) continue;
    yield [['experiments', index, 'admission', 'layer'], `names no layer of this ruleset: ${admission.layer}`];
  }
  for (const [index, { layer, holdout }] of (flag.holdouts ?? []).entries()) {
    if (Object.hasOwn(layerOf(layer)?.holdouts ?? {}, holdout)) continue;
    yield [['holdouts', index], `names no holdout of this ruleset: ${layer}/${holdout}`];
  }
}

export type ParsedRuleset =
  | { readonly ok: true; readonly ruleset: Ruleset }
  | {
      readonly ok: false;
      /** Newer: made by a newer operator. Refuse it whole and keep the last good one. */
      readonly code: 'SLUICE_RULESET_NEWER' | 'SLUICE_RULESET_INVALID';
      /** At least one, at most 50. */
      readonly problems: readonly WireProblem[];
    };

const MAX_PROBLEMS = 50;

/** A ruleset as it came over the wire or from a file. Never throws; work is bounded. */
export function parseRuleset(document: unknown): ParsedRuleset {
  const newer = newerSchema(document);
  if (newer !== undefined) return refused('SLUICE_RULESET_NEWER', [{ path: 'schema', message: `is newer: ${newer}` }]);
  const unfit = jsonProblem(document, LIMITS.rulesetChars);
  if (unfit !== undefined) return refused('SLUICE_RULESET_INVALID', [unfit]);
  const parsed = rulesetSchema.safeParse(document);
  if (parsed.success) return { ok: true, ruleset: parsed.data as Ruleset };
  return refused('SLUICE_RULESET_INVALID', wireProblems(parsed.error));
}

function refused(
  code: 'SLUICE_RULESET_NEWER' | 'SLUICE_RULESET_INVALID',
  problems: readonly WireProblem[],
): ParsedRuleset {
  return { ok: false, code, problems };
}

/** The schema's name if it is of our family and of a later version. */
function newerSchema(document: unknown): string | undefined {
  if (typeof document !== 'object' || document === null || !('schema' in document)) return undefined;
  const { schema } = document;
  const version = typeof schema === 'string' ? RULESET_FAMILY.exec(schema)?.[1] : undefined;
  return version !== undefined && Number(version) > 1 ? String(schema) : undefined;
}

/** What zod found, at most 50; for a union, what the nearest of its members misses. */
export function wireProblems(error: z.ZodError): WireProblem[] {
  return error.issues.slice(0, MAX_PROBLEMS).map((issue) => {
    const { path, message } = nearest(issue);
    return { path: pathText(path), message };
  });
}

function nearest(issue: z.core.$ZodIssue): { path: readonly PropertyKey[]; message: string } {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue;
  // The member that got furthest is the one that was meant.
  const reached = issue.errors.flatMap((issues) => issues.slice(0, 1).map(nearest));
  const deepest = reached.reduce((best, one) => (one.path.length > best.path.length ? one : best), {
    path: [] as readonly PropertyKey[],
    message: 'fits none of the forms',
  });
  return { path: [...issue.path, ...deepest.path], message: deepest.message };
}
