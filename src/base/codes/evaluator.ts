import type { CodeInfo } from './code-info.ts';

export const evaluatorCodes = {
  SLUICE_SIDECAR_ARGUMENT: { retry: 'never', fix: 'Correct the argument; `sluice-sidecar --help` says what fits.' },
  SLUICE_FLAG_FILE: {
    retry: 'never',
    fix: 'Correct the file; what it said last goes on. `kubectl sluice lint -f FILE` finds the line.',
  },
  SLUICE_FLAG_NOT_ACCEPTED: {
    retry: 'never',
    fix: 'Correct the FeatureFlag; its last good form is served, or nothing if it never had one.',
  },
  SLUICE_LAST_GOOD_DAMAGED: {
    retry: 'never',
    fix: 'The file is left aside whole, and written anew with the next ruleset. Look at the disk if it happens again.',
  },
  SLUICE_LAST_GOOD_NOT_WRITTEN: {
    retry: 'backoff',
    fix: 'Answers are not affected, but a restart may begin with an older ruleset: make room on the volume of --state-dir.',
  },
  SLUICE_EVALUATOR_NOT_READY: { retry: 'backoff', fix: 'Wait until /readyz says ok: no ruleset has come yet.' },
  SLUICE_EVALUATOR_FAIL_CLOSED: {
    retry: 'backoff',
    fix: 'Look why the operator is not heard (the log of the evaluator says it); answers come again with its first word, or without --fail-closed-after.',
  },
  SLUICE_REQUEST_INVALID: {
    retry: 'never',
    fix: 'Send what docs/sidecar.md says; the message names what does not fit.',
  },
  SLUICE_REQUEST_TOO_LARGE: { retry: 'never', fix: 'Send at most 1 MiB and 1,000 keys at a time.' },
  SLUICE_CLIENT_KEY: {
    retry: 'never',
    fix: 'Send a key of the file --client-key-file, as `Authorization: Bearer KEY` or `X-API-Key: KEY`.',
  },
  SLUICE_CLIENT_ORIGIN: {
    retry: 'never',
    fix: 'Name the origin of the page by --cors-origin, as browsers send it: https://shop.example.',
  },
  SLUICE_OVERLOADED: { retry: 'backoff', fix: 'Wait for as long as Retry-After says; ask less at a time.' },
} as const satisfies Record<string, CodeInfo>;
