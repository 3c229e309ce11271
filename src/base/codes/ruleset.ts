import type { CodeInfo } from './code-info.ts';

export const rulesetCodes = {
  SLUICE_RULESET_INVALID: {
    retry: 'never',
    fix: 'The last good ruleset goes on. Correct what the path names; a ruleset of the operator is never invalid: report that as a bug.',
  },
  SLUICE_RULESET_NEWER: {
    retry: 'never',
    fix: 'The last good ruleset goes on. Upgrade the sidecars: restart the pods, so that they are injected anew.',
  },
  SLUICE_RULESET_DIGEST: {
    retry: 'backoff',
    fix: 'The last good ruleset goes on. The snapshot was damaged on its way; it is fetched again.',
  },
  SLUICE_RULESET_SIGNATURE: {
    retry: 'backoff',
    fix: 'The last good ruleset goes on. Give the evaluator the public key of this installation.',
  },
  SLUICE_RULESET_DIFFERS: {
    retry: 'backoff',
    fix: 'The ruleset that was made last goes on and is called stale; the next change of a flag of the namespace ends that. A replica of the operator lags, or the cluster was restored from a backup: apply any change to a flag then.',
  },
  SLUICE_RULESET_TOO_LARGE: {
    retry: 'never',
    fix: 'The last good ruleset goes on. Remove flags that are not asked for any more, or move some to another namespace.',
  },
  SLUICE_INSTALLATION_SECRET: {
    retry: 'backoff',
    fix: 'Restore the Secret from a backup. Only where no experiment runs: delete it, and the operator makes a new one.',
  },
  SLUICE_JSON_NOT_CANONICAL: {
    retry: 'never',
    fix: 'Send JSON of at most 64 levels, without lone surrogates and with finite numbers only.',
  },
} as const satisfies Record<string, CodeInfo>;
