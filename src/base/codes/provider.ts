import type { CodeInfo } from './code-info.ts';

export const providerCodes = {
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
