import { apiCodes } from './codes/api.ts';
import { cliCodes } from './codes/cli.ts';
import type { CodeInfo } from './codes/code-info.ts';
import { evaluatorCodes } from './codes/evaluator.ts';
import { eventCodes } from './codes/event.ts';
import { kubeCodes } from './codes/kube.ts';
import { manifestCodes } from './codes/manifest.ts';
import { operatorCodes } from './codes/operator.ts';
import { providerCodes } from './codes/provider.ts';
import { redisCodes } from './codes/redis.ts';
import { rolloutCodes } from './codes/rollout.ts';
import { routeCodes } from './codes/route.ts';
import { rulesetCodes } from './codes/ruleset.ts';
import { sdkCodes } from './codes/sdk.ts';
import { secretCodes } from './codes/secret.ts';
import { statsCodes } from './codes/stats.ts';
import { stickinessCodes } from './codes/stickiness.ts';
import { streamCodes } from './codes/stream.ts';
import { uninstallCodes } from './codes/uninstall.ts';

/** Every error that a user can meet. Codes are API: never reused, never renamed; docs/errors.md is made from this table. */
export const codes = {
  SLUICE_INTERNAL: { retry: 'backoff', fix: 'This is a bug in Sluice: report it with the log line.' },
  ...apiCodes,
  ...cliCodes,
  ...eventCodes,
  ...evaluatorCodes,
  ...kubeCodes,
  ...manifestCodes,
  ...operatorCodes,
  ...providerCodes,
  ...redisCodes,
  ...rolloutCodes,
  ...secretCodes,
  ...uninstallCodes,
  ...routeCodes,
  ...rulesetCodes,
  ...sdkCodes,
  ...statsCodes,
  ...stickinessCodes,
  ...streamCodes,
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
