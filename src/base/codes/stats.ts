import type { CodeInfo } from './code-info.ts';

export const statsCodes = {
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
