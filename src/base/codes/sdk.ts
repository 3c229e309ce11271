import type { CodeInfo } from './code-info.ts';

export const sdkCodes = {
  SLUICE_SDK_OPTION: { retry: 'never', fix: 'Correct the option of the provider; the message names it.' },
  SLUICE_SDK_NO_RULESET: {
    retry: 'backoff',
    fix: 'Look whether the evaluator at the URL runs and is ready (/readyz); the provider goes on trying.',
  },
  SLUICE_SDK_DENIED: {
    retry: 'never',
    fix: 'Give the provider the headers that the evaluator, or a proxy before it, asks for.',
  },
} as const satisfies Record<string, CodeInfo>;
