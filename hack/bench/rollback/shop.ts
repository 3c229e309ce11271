import type { RolloutSpecInput } from '../../../src/api/rollout.ts';
import { NODE_NAME } from './kubelet.ts';
import type { Manifest } from './rig.ts';

export interface ShopShape {
  readonly replicas: number;
  /** How often the guardrail asks, such as `1s`. */
  readonly interval: string;
}

/** Keys of `count` rollouts, fifty a namespace: as many as a large team has, and no namespace is a cluster of its own. */
export const shopKeys = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `bench-${Math.floor(i / 50)}/shop-${i}`);

export const namespacesOf = (keys: readonly string[]): string[] => [
  ...new Set(keys.map((key) => split(key).namespace)),
];

export function split(key: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = ''] = key.split('/');
  return { namespace, name };
}

/** The pod template of a revision: about what a small service has. */
export const templateOf = (name: string, revision: string): Manifest => ({
  metadata: { labels: { app: name }, annotations: { 'prometheus.io/scrape': 'true' } },
  spec: {
    nodeName: NODE_NAME,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'app',
        image: 'shop:v1',
        ports: [{ name: 'http', containerPort: 8080 }],
        env: [{ name: 'REVISION', value: revision }],
        resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
      },
    ],
  },
});

export const deploymentOf = (key: string, replicas: number): Manifest => {
  const { namespace, name } = split(key);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name, labels: { app: name, 'sluice.dev/gate': 'enabled' } },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: templateOf(name, 'first'),
    },
  };
};

export const serviceOf = (key: string): Manifest => {
  const { namespace, name } = split(key);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  };
};

export const routeOf = (key: string): Manifest => {
  const { namespace, name } = split(key);
  const rule = { matches: [{ path: { type: 'PathPrefix', value: '/' } }], backendRefs: [{ name, port: 80 }] };
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { namespace, name },
    spec: { parentRefs: [{ name: 'gateway' }], hostnames: [`${name}.example`], rules: [rule] },
  };
};

/** One step at 20 % that lasts; every wait that is not for safety is 0, so that rounds follow one another quickly. */
export function rolloutOf(key: string, interval: string): Manifest {
  const { namespace, name } = split(key);
  const query = 'bench_errors{namespace="{{namespace}}",rollout="{{rollout}}",canary="{{canaryHash}}"}';
  const spec: RolloutSpecInput = {
    workload: { name },
    traffic: { service: name, router: { gatewayAPI: { httpRoutes: [{ name }] } }, settle: '0s', drain: '0s' },
    steps: [{ weight: 20, hold: '24h' }],
    guardrails: [
      {
        name: 'errors',
        query: { query, scrapeInterval: '1s' },
        max: 0.05,
        interval,
        window: interval,
        severity: 'Critical',
      },
    ],
    warmUp: '0s',
    scaleDownDelay: '0s',
  };
  return { apiVersion: 'sluice.dev/v1alpha1', kind: 'Rollout', metadata: { namespace, name }, spec };
}
