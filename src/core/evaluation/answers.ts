import type { Flag } from '../../wire/flag.ts';
import type { Json } from '../../wire/json.ts';
import type { Answer, Assignment, Metadata, Served } from './answer.ts';

/** Makes the answers of one flag. */
export interface AnswerMaker {
  /** What stands in the metadata of every answer. */
  readonly common: { readonly flagSetId: string; readonly version: string };
  /** One object for every call that ends here. */
  fixed(variant: string, reason: Served['reason'], metadata?: Metadata): FixedAnswer;
  /** For answers whose buckets differ from call to call. */
  drawn(variant: string, reason: Served['reason']): Drawn;
}

/** Makes one answer. `metadata` without `unitMissing`; of one maker they differ in the bucket alone. */
export type Drawn = (metadata: Metadata, isUnitMissing: boolean, assignment: Assignment | undefined) => Served;

/** Made once, so that these answers cost nothing at evaluation. */
export interface FixedAnswer {
  readonly plain: Answer;
  /** The same, saying that a unit was missing on the way. */
  readonly unitMissing: Answer;
}

export function answerMaker(flag: Flag, common: AnswerMaker['common']): AnswerMaker {
  const values = new Map<string, Json>(Object.entries(flag.variants));
  const drawn = (variant: string, reason: Served['reason']): Drawn => {
    // The schema has made sure that every variant that is named exists.
    const value = values.get(variant) as Json;
    const [plain, unitMissing] = [{}, {}];
    return (metadata, isUnitMissing, assignment) => ({
      kind: 'Served',
      variant,
      value,
      reason,
      metadata: isUnitMissing ? { ...metadata, unitMissing: true } : metadata,
      assignment,
      form: isUnitMissing ? unitMissing : plain,
    });
  };
  return {
    common,
    drawn,
    fixed: (variant, reason, metadata) => {
      const make = drawn(variant, reason);
      const all = { ...common, ...metadata };
      return { plain: make(all, false, undefined), unitMissing: make(all, true, undefined) };
    },
  };
}

/** An answer in both forms. */
export function fixedAnswer(make: (metadata: Metadata) => Answer): FixedAnswer {
  return { plain: make({}), unitMissing: make({ unitMissing: true }) };
}
