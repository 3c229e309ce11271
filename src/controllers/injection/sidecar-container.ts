import type { OperatorConfig } from '../../api/operator-config.ts';
import type { Pod } from '../../kube/builtins.ts';
import { AUTHORITIES_FILE, PUBLIC_KEY_FILE, SNAPSHOT_FILE, SNAPSHOT_NAME } from '../../wire/snapshot.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];
type Volume = NonNullable<PodSpec['volumes']>[number];

/** Name of the container. */
export const SIDECAR = 'sluice-evaluator';
/** Ports that it takes in the pod's network: evaluation on loopback, and health. */
export const SIDECAR_PORTS: readonly number[] = [8016, 8017];
/** Where applications ask; the OpenFeature providers for OFREP read this variable. */
export const OFREP_ENDPOINT = { name: 'OFREP_ENDPOINT', value: 'http://127.0.0.1:8016' } as const;

const BOOT = '/var/run/sluice/boot';
const STATE = '/var/run/sluice/state';
const TOKEN = '/var/run/secrets/sluice';
/** Where the API server mounts a token of its own into every container that mounts nothing there. */
const API_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_SECONDS = 3_600;
/** Enough for two of the largest rulesets; a pod that writes more than this is evicted. */
const STATE_SIZE = '16Mi';

export interface SidecarSettings {
  readonly image: string;
  readonly imagePullPolicy: OperatorConfig['injection']['imagePullPolicy'];
  readonly resources: OperatorConfig['injection']['resources'];
  /** Base URL of the stream of rulesets. */
  readonly operator: string;
}

/** What the pod gets beside the container: the ruleset to begin with and whom to trust, a place for the last good one, a token. */
export const sidecarVolumes: readonly Volume[] = [
  { name: 'sluice-boot', configMap: { name: SNAPSHOT_NAME, optional: true } },
  { name: 'sluice-state', emptyDir: { sizeLimit: STATE_SIZE } },
  {
    name: 'sluice-token',
    projected: {
      sources: [{ serviceAccountToken: { audience: 'sluice', expirationSeconds: TOKEN_SECONDS, path: 'token' } }],
    },
  },
];

/**
 * The evaluator as a native sidecar. What comes after it in the pod starts once it is ready, which it is by its boot ruleset, by
 * the stream, or 10 s later without either: flags must never keep an application from starting. It has no readiness probe, since
 * it stays ready; it has no right on the API, so the API server's own token is kept away.
 */
export function sidecarContainer(settings: SidecarSettings): Container {
  const { image, imagePullPolicy, resources, operator } = settings;
  const readyz = { path: '/readyz', port: 8017 };
  return {
    name: SIDECAR,
    image,
    imagePullPolicy,
    command: ['node', '/app/sidecar.mjs'],
    args: [
      ...['--operator', operator, '--flag-set', '$(POD_NAMESPACE)', '--token-file', `${TOKEN}/token`],
      ...['--boot', `${BOOT}/${SNAPSHOT_FILE}`, '--state-dir', STATE],
      // Beside the ruleset; where there is none yet, they come with it.
      ...['--ca-file', `${BOOT}/${AUTHORITIES_FILE}`, '--public-key', `${BOOT}/${PUBLIC_KEY_FILE}`],
      ...['--ready-without-after', '10s', '--health-host', '0.0.0.0'],
    ],
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
      { name: 'NODE_OPTIONS', value: '--max-semi-space-size=4' },
    ],
    restartPolicy: 'Always',
    startupProbe: { httpGet: readyz, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 120 },
    livenessProbe: {
      httpGet: { ...readyz, path: '/healthz' },
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    resources: resources as NonNullable<Container['resources']>,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: 'sluice-boot', mountPath: BOOT, readOnly: true },
      { name: 'sluice-state', mountPath: STATE },
      { name: 'sluice-token', mountPath: TOKEN, readOnly: true },
      { name: 'sluice-token', mountPath: API_TOKEN, readOnly: true },
    ],
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };
}
