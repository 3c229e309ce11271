import type { CodeInfo } from './code-info.ts';

export const operatorCodes = {
  SLUICE_CONFIG_INVALID: {
    retry: 'never',
    fix: 'Correct the values of the chart (or the ConfigMap sluice-config) at the field that the message names.',
  },
} as const satisfies Record<string, CodeInfo>;
