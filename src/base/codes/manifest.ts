import type { CodeInfo } from './code-info.ts';

/** Manifests: src/api. */
export const manifestCodes = {
  SLUICE_OBJECT_TOO_LARGE: { retry: 'never', fix: 'Make the object smaller: shorter queries, fewer annotations.' },
  SLUICE_FIELD_REQUIRED: { retry: 'never', fix: 'Set the field; docs/reference says what it means.' },
  SLUICE_FIELD_UNKNOWN: { retry: 'never', fix: 'Remove the field, or correct its name or indentation.' },
  SLUICE_FIELD_INVALID: { retry: 'never', fix: 'Give the field a value that docs/reference allows.' },
  SLUICE_LINT_NO_GUARDRAILS: { retry: 'never', fix: 'Add a guardrail, such as the error ratio of the canary.' },
  SLUICE_LINT_WINDOW_TOO_SHORT: { retry: 'never', fix: 'Make the window at least twice the scrape interval.' },
  SLUICE_LINT_HOLD_SHORTER_THAN_WINDOW: { retry: 'never', fix: 'Make the hold as long as the longest window.' },
  SLUICE_LINT_INTERVAL_LONGER_THAN_WINDOW: { retry: 'never', fix: 'Make the interval no longer than the window.' },
  SLUICE_LINT_LAST_WEIGHT_BELOW_100: { retry: 'never', fix: 'End with a step of weight 100 and a hold.' },
  SLUICE_LINT_SHADOW_AFTER_WEIGHT: { retry: 'never', fix: 'Put shadow steps before the first weight.' },
  SLUICE_LINT_CRITICAL_WITH_FAILURES: { retry: 'never', fix: 'Remove failures, or set severity to Normal.' },
  SLUICE_LINT_STICKINESS_IDLE: {
    retry: 'never',
    fix: 'Add a weight between 0 and 100, or remove spec.traffic.stickiness.',
  },
  SLUICE_LINT_SHADOW_UNSAFE_METHODS: {
    retry: 'never',
    fix: 'Mirror GET and HEAD only, unless the canary writes to a store of its own.',
  },
} as const satisfies Record<string, CodeInfo>;
