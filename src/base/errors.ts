/** What a reader of an error may do about it, and whether trying again can help. */
export interface CodeInfo {
  /** `never`: only a change by a person helps. `backoff`: the same call may succeed later. */
  readonly retry: 'never' | 'backoff';
  readonly fix: string;
}

/** Every error that a user can meet. Codes are API: never reused, never renamed; docs/errors.md is made from this table. */
export const codes = {
  SLUICE_INTERNAL: { retry: 'backoff', fix: 'This is a bug in Sluice: report it with the log line.' },

  SLUICE_STATS_ARGUMENT: { retry: 'never', fix: 'Give a value inside the range that the message names.' },
  SLUICE_STATS_TOO_FEW: { retry: 'never', fix: 'Wait for more units; the message says how many are needed.' },
  SLUICE_STATS_NO_VARIANCE: {
    retry: 'never',
    fix: 'All values are equal, so no error can be estimated: check the metric, or wait until values differ.',
  },
  SLUICE_STATS_BASELINE: {
    retry: 'never',
    fix: 'The scale needs a positive mean in each arm: analyse the metric on the absolute scale.',
  },
  SLUICE_STATS_NO_ROOT: { retry: 'never', fix: 'No value inside the bounds solves this: widen the bounds.' },
} as const satisfies Record<string, CodeInfo>;

export type Code = keyof typeof codes;

/** A failure with a stable code. Branch on `code`, never on the message. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: Code;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: Code, message: string, facts: SluiceError['facts'] = {}, cause?: unknown) {
    super(`${code}: ${message}`, { cause });
    this.code = code;
    this.facts = facts;
  }

  get retry(): CodeInfo['retry'] {
    return codes[this.code].retry;
  }
}
