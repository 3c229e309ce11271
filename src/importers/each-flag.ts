import { parseFeatureFlag } from '../api/parse.ts';
import { compileSpec } from '../core/flags/compile-spec.ts';
import { pathText, type WireProblem } from '../wire/json.ts';
import {
  type FlagSpec,
  type Imported,
  type ImportedFlag,
  manifestOf,
  type Note,
  Refusal,
  resourceName,
} from './imported.ts';

/** One flag of the other system: its key, where it stands, and how it is converted. */
export interface Source {
  readonly key: string;
  readonly path: readonly PropertyKey[];
  /** Throws a Refusal for what has no counterpart. */
  readonly convert: (note: Note) => FlagSpec;
}

/** Converts each flag by itself: one that is refused takes no other with it. */
export function eachFlag(sources: Iterable<Source>): Imported {
  const flags: ImportedFlag[] = [];
  const refused: WireProblem[] = [];
  const notes: WireProblem[] = [];
  const taken = new Set<string>();
  for (const { key, path, convert } of sources) {
    const own: WireProblem[] = [];
    try {
      const spec = convert((inner, message) => own.push({ path: pathText([...path, ...inner]), message }));
      refuseUnfit(key, spec);
      flags.push({ name: resourceName(key, taken), spec });
      notes.push(...own);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.push({ path: pathText([...path, ...error.path]), message: error.message });
    }
  }
  return { flags, refused, notes };
}

/** What the API server or the operator would not take is no flag. */
function refuseUnfit(key: string, spec: FlagSpec): void {
  const parsed = parseFeatureFlag(manifestOf({ name: 'flag', spec }));
  const compiled = parsed.ok ? compileSpec('', key, parsed.flag.spec) : parsed;
  if (compiled.ok) return;
  const [{ path, message } = { path: '', message: '' }] = compiled.problems;
  throw new Refusal([], `does not fit into a FeatureFlag: ${path === '' ? 'it' : path} ${message}`);
}
