import type { CodeInfo } from './code-info.ts';

export const apiCodes = {
  SLUICE_API_TOKEN: {
    retry: 'never',
    fix: 'Send `Authorization: Bearer TOKEN` with a token that the API server knows: `kubectl create token ACCOUNT` makes one.',
  },
  SLUICE_API_REQUEST: {
    retry: 'never',
    fix: 'Send what `GET /api/v1/openapi.json` says; the message names what does not fit.',
  },
  SLUICE_API_TOO_LARGE: { retry: 'never', fix: 'Send at most 1 MiB.' },
  SLUICE_API_NO_FLAG: {
    retry: 'never',
    fix: 'Check the key and the namespace: `GET /api/v1/namespaces/{namespace}/flags` lists all of one.',
  },
  SLUICE_API_NO_REVISION: {
    retry: 'never',
    fix: '`GET /api/v1/namespaces/{namespace}/flags/{key}/history` lists the revisions that are kept.',
  },
  SLUICE_API_PRECONDITION: {
    retry: 'never',
    fix: 'The flag is not as it was when it was read: read it again, and send the change with its new ETag.',
  },
  SLUICE_API_OVERLOADED: { retry: 'backoff', fix: 'Wait for as long as Retry-After says.' },
} as const satisfies Record<string, CodeInfo>;
