import type { Resource } from '../../../../src/kube/resource.ts';
import type { Manifest } from '../rig.ts';
import type { PeerName } from './binaries.ts';

/** As both peers write durations. */
export type Interval = '1s' | '10s' | '1m';

/** What the rollouts of one namespace have in common. */
export interface PeerWorld {
  readonly namespace: string;
  /** The metric source, as a user would write Prometheus's address. */
  readonly metricsUrl: string;
  /** Between two measurements of one rollout. */
  readonly interval: Interval;
  readonly replicas: number;
}

export interface PeerArguments {
  readonly kubeconfig: string;
  readonly metricsUrl: string;
  /** Of loopback, for whatever it serves. Its answer to `healthPath` at the first tells that it runs. */
  readonly ports: readonly [number, number];
}

/** Another project's way to do what a Rollout of Sluice does, with its defaults wherever it has one. */
export interface Peer {
  readonly name: PeerName;
  readonly settings: Readonly<Record<string, string | number>>;
  /** The shortest that it works with. */
  readonly shortestInterval: Interval;
  /** The usual one, for rollouts that rest: its default where it has one. */
  readonly defaultInterval: Interval;
  argumentsFor(options: PeerArguments): string[];
  readonly healthPath: string;
  /** Objects that all rollouts of a namespace share. */
  shared(world: PeerWorld): Manifest[];
  /** Objects of one rollout with its first version. */
  rollout(name: string, world: PeerWorld): Manifest[];
  /** Whose pod template a user changes to release a new version. */
  readonly workload: Resource;
  /** Says in `status.phase` how a rollout fares, one of `restingPhases` when its version stands or was taken back. */
  readonly progress: Resource;
  readonly restingPhases: readonly string[];
  /** Name of the Ingress on which the peer writes the canary's weight. */
  canaryIngress(name: string): string;
}

/** What every system asks about a rollout; the source reads the labels. */
export const errorsQuery = (namespace: string, rollout: string): string =>
  `bench_errors{namespace="${namespace}",rollout="${rollout}"}`;

/** An Ingress that sends everything for its host to this Service. */
export function ingress(name: string, service: string, namespace: string): Manifest {
  const path = { path: '/', pathType: 'Prefix', backend: { service: { name: service, port: { number: 80 } } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace },
    spec: { ingressClassName: 'nginx', rules: [{ host: `${name}.example`, http: { paths: [path] } }] },
  };
}
