import type { CodeInfo } from './code-info.ts';

export const manifestCodes = {
  SLUICE_KUBE_CONFIG: {
    retry: 'never',
    fix: 'Check the kubeconfig: its current context, server address and credentials.',
  },
  SLUICE_KUBE_UNAVAILABLE: { retry: 'backoff', fix: 'Check that the API server can be reached and is not overloaded.' },
  SLUICE_KUBE_DEADLINE: {
    retry: 'backoff',
    fix: 'The API server was too slow; check its load and the network between.',
  },
  SLUICE_KUBE_DENIED: {
    retry: 'backoff',
    fix: 'Grant the missing rights: `kubectl auth can-i` shows what is allowed.',
  },
  SLUICE_KUBE_NOT_FOUND: { retry: 'backoff', fix: 'Check that the object and its resource type (CRD) are installed.' },
  SLUICE_KUBE_CONFLICT: {
    retry: 'backoff',
    fix: 'Another writer was faster; nothing to do unless it goes on for minutes.',
  },
  SLUICE_KUBE_PATCH_TEST: {
    retry: 'backoff',
    fix: 'The object was changed by someone else meanwhile; it is read again.',
  },
  SLUICE_KUBE_EXPIRED: {
    retry: 'backoff',
    fix: 'The API server no longer keeps that version; the list is read again.',
  },
  SLUICE_KUBE_REFUSED: {
    retry: 'never',
    fix: 'The API server does not accept the object: the message says which field.',
  },
  SLUICE_KUBE_TOO_LARGE: { retry: 'never', fix: 'The answer is beyond the size limit: narrow the selection.' },
  // Manifests: src/api
  SLUICE_OBJECT_TOO_LARGE: { retry: 'never', fix: 'Make the object smaller: shorter queries, fewer annotations.' },
  SLUICE_FIELD_REQUIRED: { retry: 'never', fix: 'Set the field; docs/reference says what it means.' },
  SLUICE_FIELD_UNKNOWN: { retry: 'never', fix: 'Remove the field, or correct its name or indentation.' },
  SLUICE_FIELD_INVALID: { retry: 'never', fix: 'Give the field a value that docs/reference allows.' },
  SLUICE_LINT_NO_GUARDRAILS: { retry: 'never', fix: 'Add a guardrail, such as the error ratio of the canary.' },
  SLUICE_LINT_WINDOW_TOO_SHORT: { retry: 'never', fix: 'Make the window at least twice the scrape interval.' },
  SLUICE_LINT_HOLD_SHORTER_THAN_WINDOW: { retry: 'never', fix: 'Make the hold as long as the longest window.' },
  SLUICE_LINT_LAST_WEIGHT_BELOW_100: { retry: 'never', fix: 'End with a step of weight 100 and a hold.' },
  SLUICE_LINT_SHADOW_AFTER_WEIGHT: { retry: 'never', fix: 'Put shadow steps before the first weight.' },
  SLUICE_LINT_CRITICAL_WITH_FAILURES: { retry: 'never', fix: 'Remove failures, or set severity to Normal.' },
  SLUICE_LINT_SHADOW_UNSAFE_METHODS: {
    retry: 'never',
    fix: 'Mirror GET and HEAD only, unless the canary writes to a store of its own.',
  },

  // Metric providers and their queries.
  SLUICE_PROVIDER_ADDRESS_INVALID: {
    retry: 'never',
    fix: 'Give the provider an http or https address without user, password, query or fragment.',
  },
  SLUICE_PROVIDER_CREDENTIALS_INVALID: {
    retry: 'never',
    fix: 'Correct the Secret: a token, user name, password or header value holds characters that HTTP does not allow there.',
  },
  SLUICE_PROVIDER_TLS_INVALID: {
    retry: 'never',
    fix: 'Correct the Secret: certificates and key must be PEM, the key must belong to the certificate, and the address must be https.',
  },
  SLUICE_QUERY_TOO_LONG: { retry: 'never', fix: 'Shorten the query, or move its work to a recording rule.' },
  SLUICE_QUERY_STRING_INVALID: {
    retry: 'never',
    fix: 'Close the string on its own line, and use only escapes that PromQL knows; a backslash for a regular expression is written twice.',
  },
  SLUICE_QUERY_PLACEHOLDER_UNKNOWN: {
    retry: 'never',
    fix: 'Use {{namespace}}, {{rollout}}, {{service}}, {{canaryHash}}, {{stableHash}} or {{window}}; two literal braces in a string are written \\x7b{.',
  },
  SLUICE_QUERY_PLACEHOLDER_MISPLACED: {
    retry: 'never',
    fix: 'Put a name into the quoted value of a label matcher, and {{window}} where a duration stands, such as [{{window}}].',
  },
} as const satisfies Record<string, CodeInfo>;
