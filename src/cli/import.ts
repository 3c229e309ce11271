import { parseDocument, stringify } from 'yaml';
import { SluiceError } from '../base/errors.ts';
import { importFlagd } from '../importers/flagd/import.ts';
import { importGrowthbook } from '../importers/growthbook/import.ts';
import { type Imported, manifestOf } from '../importers/imported.ts';
import { importUnleash } from '../importers/unleash/import.ts';
import { plainOf, WRITE_FOR_KUBECTL } from '../wire/manifest-yaml.ts';
import { firstLine, withEscapes, withoutControls } from './text.ts';

export const MAX_IMPORT_BYTES = 16 * 2 ** 20;

const importers = { unleash: importUnleash, growthbook: importGrowthbook, flagd: importFlagd } as const;
export type ImportFrom = keyof typeof importers;
export const IMPORT_FROM = Object.keys(importers) as ImportFrom[];

export interface ImportResult {
  /** FeatureFlags as YAML documents; empty when there is none. */
  readonly manifests: string;
  /** What to know, one line each: what was refused, then the notes. */
  readonly remarks: readonly string[];
  readonly taken: number;
  readonly refused: number;
}

/** The flags of a file of another system as FeatureFlags. Throws SLUICE_CLI_FILE for a file that is neither JSON nor YAML. */
export function importFile(from: ImportFrom, file: string, text: string): ImportResult {
  const { flags, refused, notes } = importers[from](documentOf(file, text));
  return {
    manifests: flags
      .map((flag) => withEscapes(stringify(manifestOf(flag), WRITE_FOR_KUBECTL)))
      .join('---\n')
      .trimEnd(),
    remarks: [...remarks('refused', refused), ...remarks('note', notes)],
    taken: flags.length,
    refused: refused.length,
  };
}

function documentOf(file: string, text: string): unknown {
  try {
    // JSON is YAML, and both are in use.
    return plainOf(parseDocument(text, { merge: false }));
  } catch (cause) {
    throw new SluiceError('SLUICE_CLI_FILE', `${file}: ${firstLine(cause)}`, {}, cause);
  }
}

function remarks(kind: string, problems: Imported['notes']): string[] {
  return problems.map(({ path, message }) => withoutControls(`${kind}: ${path}: ${message}`));
}
