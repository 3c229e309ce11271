import type { CodeInfo } from './code-info.ts';

/** Why an uninstall of the chart does not get done. */
export const uninstallCodes = {
  SLUICE_UNINSTALL_TIMEOUT: {
    retry: 'backoff',
    fix: 'See why with `kubectl get rollouts -A` and the log of the operator; then try again.',
  },
} as const satisfies Record<string, CodeInfo>;
