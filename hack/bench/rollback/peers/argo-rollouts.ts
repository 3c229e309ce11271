import type { Resource } from '../../../../src/kube/resource.ts';
import type { Manifest } from '../rig.ts';
import { serviceOf, templateOf } from '../shop.ts';
import { errorsQuery, ingress, type Peer, type PeerWorld } from './peer.ts';

const apiVersion = 'argoproj.io/v1alpha1';
const rollouts: Resource = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  plural: 'rollouts',
  kind: 'Rollout',
  namespaced: true,
};

export const argoRollouts: Peer = {
  name: 'argo-rollouts',
  settings: {
    router: 'ingress-nginx annotations',
    budget: 'failureLimit 0 (default): the first bad answer',
    clientLimit: '40 requests a second, burst 80 (default)',
    flags: 'leader election off, loglevel warn',
  },
  shortestInterval: '1s',
  defaultInterval: '10s',
  argumentsFor: ({ kubeconfig, ports: [healthz, metrics] }) => [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--loglevel=warn',
    `--healthzPort=${healthz}`,
    `--metricsPort=${metrics}`,
  ],
  healthPath: '/healthz',
  shared: (world) => [analysisTemplate(world)],
  rollout: (name, { namespace, replicas }) => [
    servicePart(namespace, name, 'stable'),
    servicePart(namespace, name, 'canary'),
    ingress(name, `${name}-stable`, namespace),
    { apiVersion, kind: 'Rollout', metadata: { namespace, name }, spec: rolloutSpec(name, replicas) },
  ],
  workload: rollouts,
  progress: rollouts,
  restingPhases: ['Healthy', 'Degraded'],
  canaryIngress: (name) => `${name}-${name}-canary`,
};

function servicePart(namespace: string, name: string, part: string): Manifest {
  const service = serviceOf(`${namespace}/${name}`);
  return { ...service, metadata: { namespace, name: `${name}-${part}` } };
}

function analysisTemplate({ namespace, metricsUrl, interval }: PeerWorld): Manifest {
  const query = errorsQuery(namespace, '{{args.rollout}}');
  const metric = {
    name: 'errors',
    interval,
    successCondition: 'result[0] <= 0.05',
    provider: { prometheus: { address: metricsUrl, query } },
  };
  const spec = { args: [{ name: 'rollout' }], metrics: [metric] };
  return { apiVersion, kind: 'AnalysisTemplate', metadata: { namespace, name: 'errors' }, spec };
}

function rolloutSpec(name: string, replicas: number): object {
  const args = [{ name: 'rollout', value: name }];
  const canary = {
    stableService: `${name}-stable`,
    canaryService: `${name}-canary`,
    trafficRouting: { nginx: { stableIngress: name } },
    // From the step on in which the canary has traffic, as its manual shows it.
    analysis: { templates: [{ templateName: 'errors' }], startingStep: 1, args },
    steps: [{ setWeight: 20 }, { pause: {} }],
  };
  const selector = { matchLabels: { app: name } };
  return { replicas, selector, template: templateOf(name, 'first'), strategy: { canary } };
}
