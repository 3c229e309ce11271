import type { Json } from '../../wire/json.ts';

/** Flat, as OpenFeature asks: what an answer says beside its value. Sidecars add `stale`. */
export interface Metadata {
  readonly flagSetId?: string;
  /** Revision of the ruleset, as text. */
  readonly version?: string;
  readonly ruleId?: string;
  /** Full name of the experiment: `<namespace>/<name>`. */
  readonly experiment?: string;
  readonly arm?: string;
  readonly phase?: number;
  readonly layer?: string;
  readonly holdout?: string;
  /** The draw that decided: of the arm, else of the admission, else of the holdout. */
  readonly bucket?: number;
  /** Key of the prerequisite that is unmet. */
  readonly prerequisite?: string;
  /** A rule or a holdout was passed over because the context lacks its unit. */
  readonly unitMissing?: true;
}

/** Who was assigned what by an experiment: what an exposure is made of. */
export interface Assignment {
  readonly experiment: string;
  readonly phase: number;
  /** `holdout` for units that a holdout keeps out. */
  readonly arm: string;
  /** The unit as the context has it; hash it before it goes anywhere. */
  readonly unit: string;
}

/** A variant is served. */
export interface Served {
  readonly kind: 'Served';
  readonly variant: string;
  /** Shared between answers: never change it. */
  readonly value: Json;
  readonly reason: 'STATIC' | 'TARGETING_MATCH' | 'SPLIT' | 'DEFAULT' | 'DISABLED';
  readonly metadata: Metadata;
  readonly assignment: Assignment | undefined;
  /** Answers of one form differ in `metadata.bucket` and `assignment` alone. Made with the flag: nobody looks into it. */
  readonly form: object;
}

/** The flag is not enabled: the caller's own default counts. */
export interface Valueless {
  readonly kind: 'Valueless';
  readonly reason: 'DISABLED';
  readonly metadata: Metadata;
}

/** No answer. GENERAL is a context that cannot be read (a getter that throws); JSON never causes it. */
export interface Failed {
  readonly kind: 'Failed';
  readonly errorCode: 'FLAG_NOT_FOUND' | 'TARGETING_KEY_MISSING' | 'GENERAL';
  readonly metadata: Metadata;
}

export type Answer = Served | Valueless | Failed;
