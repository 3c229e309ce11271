declare const unit: unique symbol;
type Unit<Name extends string> = number & { readonly [unit]: Name };

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = Unit<'EpochMs'>;
/** A length of time in milliseconds, ≥ 0. */
export type DurationMs = Unit<'DurationMs'>;
/** A share of traffic in basis points: 0..10_000, 10_000 = all. */
export type WeightBp = Unit<'WeightBp'>;

export const FULL_WEIGHT_BP = 10_000 as WeightBp;

/** The moment `d` after `t`. */
export const after = (t: EpochMs, d: DurationMs): EpochMs => (t + d) as EpochMs;

/** For the `default` of a switch over a union: fails to compile when a member has no case. */
export function unreachable(value: never): never {
  throw new Error(`no case for ${JSON.stringify(value)}`);
}
