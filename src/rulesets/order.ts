import type { EpochMs } from '../base/units.ts';

/** What orders the rulesets of one flag set. */
export interface Made {
  readonly revision: number;
  readonly issuedAt: EpochMs;
}

export const madeOf = ({ revision, issuedAt }: { readonly revision: number; readonly issuedAt: string }): Made => ({
  revision,
  issuedAt: Date.parse(issuedAt) as EpochMs,
});

/**
 * Whether `one` was not made after `other`: by number and by time. By the number alone, a namespace whose numbers start lower would never be
 * heard again; by the time alone, a clock could keep a change back.
 */
export const isOlder = (one: Made, other: Made): boolean =>
  one.revision <= other.revision && one.issuedAt <= other.issuedAt;
