import type { CodeInfo } from './code-info.ts';

export const operatorCodes = {
  SLUICE_CONFIG_INVALID: {
    retry: 'never',
    fix: 'Correct the values of the chart (or the ConfigMap sluice-config) at the field that the message names.',
  },
  SLUICE_OPERATOR_USER: {
    retry: 'never',
    fix: 'Run it as its service account: `kubectl -n sluice-system create token sluice-operator` gives a token for a kubeconfig, and POD_NAMESPACE names its namespace.',
  },
} as const satisfies Record<string, CodeInfo>;
