import type { CodeInfo } from './code-info.ts';

export const cliCodes = {
  SLUICE_CLI_ARGUMENT: { retry: 'never', fix: 'Correct the argument; `kubectl sluice COMMAND --help` says what fits.' },
  SLUICE_CLI_NO_ROLLOUT: {
    retry: 'never',
    fix: 'Check the name and the namespace (-n): `kubectl sluice get -A` lists all Rollouts.',
  },
  SLUICE_CLI_NO_DEPLOYMENT: { retry: 'never', fix: 'Check the name and the namespace (-n) of the Deployment.' },
  SLUICE_CLI_NO_SERVICE: {
    retry: 'never',
    fix: 'Make a Service whose selector picks the pods of the Deployment; a Rollout moves traffic through it.',
  },
  SLUICE_CLI_NO_ROUTE: {
    retry: 'never',
    fix: 'Make an HTTPRoute that sends to the Service; a Rollout moves traffic by its weights.',
  },
  SLUICE_CLI_NOT_CONSUMED: {
    retry: 'backoff',
    fix: 'Check that the operator runs: `kubectl get pods -A -l app.kubernetes.io/name=sluice`. It still does what was asked once it is back.',
  },
  SLUICE_CLI_ABORT_HELD: {
    retry: 'backoff',
    fix: 'Bring a pod of stable back, and the abort that was asked goes on; or `kubectl sluice abort NAME --force`.',
  },
  SLUICE_CLI_ACTION_PENDING: {
    retry: 'backoff',
    fix: 'Another action waits for the operator; wait until it is done, or remove the annotation sluice.dev/action.',
  },
  SLUICE_CLI_OPERATOR_ALIVE: {
    retry: 'never',
    fix: 'Delete the Rollout (`kubectl delete slr NAME`): the operator puts everything back. `--force` does it from here all the same.',
  },
  SLUICE_CLI_GATE_UNSERVED: {
    retry: 'never',
    fix: 'Without an operator nobody answers the gate: `kubectl delete mutatingwebhookconfiguration sluice-gate`, or use --on-delete KeepHeld.',
  },
  SLUICE_CLI_NOT_RELEASED: {
    retry: 'backoff',
    fix: 'Cure what the message names, then give the same command again: it goes on where it stopped.',
  },
  SLUICE_CLI_NO_FLAG: {
    retry: 'never',
    fix: 'Check the key and the namespace (-n): `kubectl sluice flag get -A` lists all FeatureFlags.',
  },
  SLUICE_CLI_NO_REVISION: {
    retry: 'never',
    fix: '`kubectl sluice flag history KEY` lists the revisions that are kept.',
  },
  SLUICE_CLI_FILE: {
    retry: 'never',
    fix: 'Check the path, and that the file is YAML or JSON; `lint` reads at most 4 MiB, `import` 16 MiB.',
  },
  SLUICE_CLI_OUTPUT: {
    retry: 'never',
    fix: 'Make room where the output goes. What the command changed in the cluster stays changed.',
  },
} as const satisfies Record<string, CodeInfo>;
