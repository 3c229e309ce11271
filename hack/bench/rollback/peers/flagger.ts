import { deployments } from '../../../../src/kube/builtins.ts';
import type { Resource } from '../../../../src/kube/resource.ts';
import type { Manifest } from '../rig.ts';
import { templateOf } from '../shop.ts';
import { errorsQuery, type Interval, ingress, type Peer, type PeerWorld } from './peer.ts';

const apiVersion = 'flagger.app/v1beta1';
const canaries: Resource = {
  group: 'flagger.app',
  version: 'v1beta1',
  plural: 'canaries',
  kind: 'Canary',
  namespaced: true,
};

export const flagger: Peer = {
  name: 'flagger',
  settings: {
    router: 'ingress-nginx annotations',
    budget: 'threshold 1, the lowest: at the tick after the first bad answer',
    clientLimit: '100 requests a second, burst 250 (default)',
    flags: 'leader election off (default), log-level info',
  },
  shortestInterval: '10s',
  defaultInterval: '1m',
  argumentsFor: ({ kubeconfig, metricsUrl, ports: [port] }) => [
    `-kubeconfig=${kubeconfig}`,
    '-mesh-provider=nginx',
    `-metrics-server=${metricsUrl}`,
    `-port=${port}`,
    '-log-level=info',
  ],
  healthPath: '/healthz',
  shared: (world) => [metricTemplate(world)],
  rollout: (name, { namespace, interval, replicas }) => [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace, name }, spec: deploymentSpec(name, replicas) },
    ingress(name, name, namespace),
    { apiVersion, kind: 'Canary', metadata: { namespace, name }, spec: canarySpec(name, interval) },
  ],
  workload: deployments,
  progress: canaries,
  restingPhases: ['Initialized', 'Failed'],
  canaryIngress: (name) => `${name}-canary`,
};

function metricTemplate({ namespace, metricsUrl }: PeerWorld): Manifest {
  const query = errorsQuery('{{ namespace }}', '{{ target }}');
  const spec = { provider: { type: 'prometheus', address: metricsUrl }, query };
  return { apiVersion, kind: 'MetricTemplate', metadata: { namespace, name: 'errors' }, spec };
}

function deploymentSpec(name: string, replicas: number): object {
  const strategy = { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };
  return { replicas, selector: { matchLabels: { app: name } }, strategy, template: templateOf(name, 'first') };
}

function canarySpec(name: string, interval: Interval): object {
  const metric = { name: 'errors', templateRef: { name: 'errors' }, interval: '1m', thresholdRange: { max: 0.05 } };
  return {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    ingressRef: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name },
    service: { port: 80, targetPort: 8080 },
    // The smallest step, so that none is promoted while others are still to fail.
    analysis: { interval, threshold: 1, stepWeight: 1, metrics: [metric] },
  };
}
