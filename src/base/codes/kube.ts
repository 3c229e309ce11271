import type { CodeInfo } from './code-info.ts';

export const kubeCodes = {
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
    retry: 'backoff', // nobody tells us when an admission policy changes its mind
    fix: 'The API server does not accept the object: the message says which field, or which policy.',
  },
  SLUICE_KUBE_TOO_LARGE: { retry: 'never', fix: 'The answer is beyond the size limit: narrow the selection.' },
} as const satisfies Record<string, CodeInfo>;
