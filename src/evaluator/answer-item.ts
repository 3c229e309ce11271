import type { Answer, Failed } from '../core/evaluation/answer.ts';
import type { CompiledRuleset } from '../core/evaluation/compile.ts';
import { encodeExposureToken, unitHashOf } from '../wire/exposure.ts';

/** An answer as OFREP has it: a success, which has a reason, or a failure, which has an errorCode. */
export interface AnswerItem {
  readonly key: string;
  readonly reason?: string;
  readonly variant?: string;
  readonly value?: unknown;
  readonly errorCode?: string;
  readonly errorDetails?: string;
  /** Flat: OFREP's clients drop what is nested. */
  readonly metadata: object;
}

const DETAILS: Readonly<Record<Failed['errorCode'], string>> = {
  FLAG_NOT_FOUND: 'there is no flag of this key',
  TARGETING_KEY_MISSING: 'a rule draws by a unit that the context does not name',
  GENERAL: 'the context cannot be read',
};

export function itemOf(key: string, answer: Answer, stale: boolean): AnswerItem {
  const metadata = stale ? { ...answer.metadata, stale } : answer.metadata;
  switch (answer.kind) {
    case 'Served':
      return { key, value: answer.value, reason: answer.reason, variant: answer.variant, metadata };
    case 'Valueless':
      return { key, reason: answer.reason, metadata };
    case 'Failed':
      return { key, errorCode: answer.errorCode, errorDetails: DETAILS[answer.errorCode], metadata };
  }
}

/** The same with the token by which the application can tell later that it has shown what it got. */
export function itemWithToken(compiled: CompiledRuleset, key: string, answer: Answer, stale: boolean): AnswerItem {
  const item = itemOf(key, answer, stale);
  if (answer.kind !== 'Served' || answer.assignment === undefined) return item;
  const { experiment, phase, arm, unit } = answer.assignment;
  const unitHash = unitHashOf(compiled.unitHashSalt, unit);
  const exposureToken = encodeExposureToken({ experiment, phase, arm, unitHash, revision: compiled.revision });
  return { ...item, metadata: { ...item.metadata, exposureToken } };
}
