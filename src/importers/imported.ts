import type { FeatureFlagSpecInput } from '../api/feature-flag.ts';
import { GROUP, VERSION } from '../api/names.ts';
import type { WireProblem } from '../wire/json.ts';

/** What `kubectl apply` sends: defaults left out. */
export type FlagSpec = FeatureFlagSpecInput;
export type RuleSpec = NonNullable<FlagSpec['rules']>[number];
export type ConditionSpec = NonNullable<RuleSpec['when']>;
export type AdmissionSpec = NonNullable<RuleSpec['admissions']>[number];

/** A flag of another system as a FeatureFlag. */
export interface ImportedFlag {
  /** For metadata.name. */
  readonly name: string;
  readonly spec: FlagSpec;
}

/** What `kubectl apply` takes. */
export function manifestOf({ name, spec }: ImportedFlag): object {
  return { apiVersion: `${GROUP}/${VERSION}`, kind: 'FeatureFlag', metadata: { name }, spec };
}

/** What became of a file. A flag that cannot keep its meaning is refused, never bent. */
export interface Imported {
  readonly flags: readonly ImportedFlag[];
  /** Flags that were left out, by path in the file. */
  readonly refused: readonly WireProblem[];
  /** What to know of those that were taken, by path in the file. */
  readonly notes: readonly WireProblem[];
}

/** Why a flag cannot be taken over. Thrown inside an importer, for one flag. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly path: readonly PropertyKey[];

  constructor(path: readonly PropertyKey[], message: string) {
    super(message);
    this.path = path;
  }
}

/** Says where a Refusal of `convert` stands. */
export function placed<Result>(path: readonly PropertyKey[], convert: () => Result): Result {
  try {
    return convert();
  } catch (error) {
    throw error instanceof Refusal ? new Refusal([...path, ...error.path], error.message) : error;
  }
}

/** Takes down what is to be known of a flag. */
export type Note = (path: readonly PropertyKey[], message: string) => void;

/** True for nobody: what the other system never matches. */
export const NEVER: ConditionSpec = { any: [] };

/** A name of Kubernetes for a key, which `taken` does not have yet; it is added. */
export function resourceName(key: string, taken: Set<string>): string {
  const base =
    key
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 240)
      .replace(/^-+|-+$/g, '') || 'flag';
  let name = base;
  for (let count = 2; taken.has(name); count++) name = `${base}-${count}`;
  taken.add(name);
  return name;
}
