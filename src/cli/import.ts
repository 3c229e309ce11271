import { parseDocument, stringify } from 'yaml';
import { GROUP, VERSION } from '../api/names.ts';
import { SluiceError } from '../base/errors.ts';
import { importFlagd } from '../importers/flagd/import.ts';
import { importGrowthbook } from '../importers/growthbook/import.ts';
import type { Imported, ImportedFlag } from '../importers/imported.ts';
import { importUnleash } from '../importers/unleash/import.ts';
import { withoutControls } from './rollouts.ts';

/** kubectl reads YAML 1.1, where a bare `off` is a boolean. */
const YAML_FORM = { lineWidth: 0, aliasDuplicateObjects: false, version: '1.1' } as const;

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
      .map((flag) => stringify(manifestOf(flag), YAML_FORM))
      .join('---\n')
      .trimEnd(),
    remarks: [...remarks('refused', refused), ...remarks('note', notes)],
    taken: flags.length,
    refused: refused.length,
  };
}

function documentOf(file: string, text: string): unknown {
  // JSON is YAML, and both are in use.
  const document = parseDocument(text, { merge: false });
  const [error] = document.errors;
  if (error) throw new SluiceError('SLUICE_CLI_FILE', `${file}: ${error.message}`, {}, error);
  return document.toJS({ maxAliasCount: 100 });
}

function manifestOf({ name, spec }: ImportedFlag): object {
  return { apiVersion: `${GROUP}/${VERSION}`, kind: 'FeatureFlag', metadata: { name }, spec };
}

function remarks(kind: string, problems: Imported['notes']): string[] {
  return problems.map(({ path, message }) => withoutControls(`${kind}: ${path}: ${message}`));
}
