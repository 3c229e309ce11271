import type { CodeInfo } from './code-info.ts';

/** Why the Secrets that a Metric names cannot be read. */
export const secretCodes = {
  SLUICE_SECRET_NOT_FOUND: {
    retry: 'never',
    fix: 'Create the Secret with that key in the namespace of the Metric, or correct its name; it is looked for again every minute.',
  },
  SLUICE_SECRET_DENIED: {
    retry: 'never',
    fix: 'Set metrics.readSecrets in the values of the chart, or bind the ClusterRole sluice-secret-reader to the operator in that namespace.',
  },
} as const satisfies Record<string, CodeInfo>;
