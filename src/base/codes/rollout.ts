import type { CodeInfo } from './code-info.ts';

/** Why a Rollout is not accepted as it stands. */
export const rolloutCodes = {
  SLUICE_ROLLOUT_RIVAL: {
    retry: 'never',
    fix: 'Delete one of the two Rollouts, or give it another Deployment and Service.',
  },
  SLUICE_WORKLOAD_RECREATE: {
    retry: 'never',
    fix: 'Use strategy RollingUpdate, or do not roll this Deployment out step by step.',
  },
  SLUICE_SERVICE_NOT_FOUND: { retry: 'never', fix: 'Create the Service, or correct spec.traffic.service.' },
  SLUICE_SERVICE_EXTERNAL: { retry: 'never', fix: 'Name a Service that selects pods.' },
  SLUICE_SERVICE_NO_SELECTOR: { retry: 'never', fix: 'Give the Service a selector: Sluice aims it at revisions.' },
  SLUICE_SERVICE_NAME_LONG: { retry: 'never', fix: 'Use a Service with a name of at most 56 characters.' },
  SLUICE_SERVICE_FOREIGN_HELPER: { retry: 'never', fix: 'Rename or delete the Service that has the name of a helper.' },
  SLUICE_SERVICE_OTHER_PODS: {
    retry: 'never',
    fix: 'Name the Service whose selector picks the pods of the Deployment.',
  },
  SLUICE_SERVICE_SHARED: { retry: 'never', fix: 'Give the workload a Service of its own.' },
  SLUICE_METRIC_NOT_FOUND: { retry: 'never', fix: 'Create the Metric in this namespace, or correct its name.' },
  SLUICE_METRIC_INVALID: {
    retry: 'never',
    fix: 'Correct the Metric: `kubectl sluice lint` says what is wrong with it.',
  },
  SLUICE_QUERY_REFUSED: { retry: 'never', fix: 'Correct the query: it must parse and answer one number.' },
  SLUICE_ROUTE_NOT_FOUND: { retry: 'never', fix: 'Create the HTTPRoute, or correct spec.traffic.router.' },
} as const satisfies Record<string, CodeInfo>;
