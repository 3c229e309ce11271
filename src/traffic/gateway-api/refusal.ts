import type { Code } from '../../base/errors.ts';

/** Why a route cannot carry a plan. The code's `fix` says what to do. */
export interface Refusal {
  readonly kind: 'Refused';
  readonly code: Code;
  readonly message: string;
  /** It ends by itself. */
  readonly passing?: true;
}

export const refuse = (code: Code, message: string): Refusal => ({ kind: 'Refused', code, message });
