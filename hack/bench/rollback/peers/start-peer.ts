import { join } from 'node:path';
import { type KubeObject, keyOf, type Resource } from '../../../../src/kube/resource.ts';
import { ensureBinary } from '../../../cluster/binaries.ts';
import { output } from '../../../cluster/command.ts';
import { accountKubeconfig } from '../account.ts';
import { Child } from '../child.ts';
import type { Contender } from '../contender.ts';
import { freePorts } from '../free-ports.ts';
import { inParallel } from '../in-parallel.ts';
import type { Rig } from '../rig.ts';
import { namespacesOf, shopKeys, split, templateOf } from '../shop.ts';
import { WeightWatch } from '../weight-watch.ts';
import { argoRollouts } from './argo-rollouts.ts';
import { ensurePeer, type PeerName, peerSources } from './binaries.ts';
import { flagger } from './flagger.ts';
import type { Interval, Peer } from './peer.ts';
import { Phases } from './phases.ts';

export const peers: Readonly<Record<PeerName, Peer>> = { 'argo-rollouts': argoRollouts, flagger };

/** Calls to the API server at a time while objects are made. */
const WIDTH = 8;
const REST_MS = 900_000;
const LAUNCH_MS = 300_000;
const WEIGHT = 'nginx.ingress.kubernetes.io/canary-weight';
const ingresses: Resource = {
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'ingresses',
  kind: 'Ingress',
  namespaced: true,
};

export interface PeerFleet {
  readonly rollouts: number;
  readonly replicas: number;
  readonly interval: Interval;
}

/** As the API server calls the peer's account. */
export const userOf = (name: PeerName): string => `system:serviceaccount:${name}:${name}`;

/** Starts the peer's controller in a rig whose world runs; answers when each of its rollouts has its first version and rests. */
export async function startPeer(rig: Rig, name: PeerName, fleet: PeerFleet): Promise<Contender> {
  const peer = peers[name];
  const { binary, definitions } = await ensurePeer(name, rig.signal);
  await applyFiles(rig, definitions);
  const keys = shopKeys(fleet.rollouts);
  const controller = await startController(rig, peer, binary);
  const weights = await WeightWatch.start<KubeObject>(rig.client, ingresses, readWeight(peer, keys));
  const phases = new Phases(rig, peer);
  const stop = async () => {
    await controller.kill('SIGTERM');
    await Promise.all([weights.stop(), phases.stop()]);
  };
  try {
    await makeRollouts(rig, peer, keys, fleet);
    await phases.rest(keys, REST_MS);
  } catch (error) {
    await stop();
    throw new Error(`${error}\n${controller.logTail()}`, { cause: error });
  }
  return {
    name,
    version: peerSources[name].version,
    settings: {
      ...peer.settings,
      licence: peerSources[name].licence,
      interval: fleet.interval,
      replicas: fleet.replicas,
    },
    user: userOf(name),
    pids: [controller.pid],
    keys,
    weights,
    launch: launcher(rig, peer, phases, weights),
    stop,
  };
}

/** By kubectl, as its users do: it reads YAML that stricter parsers refuse, and Flagger's is of that kind. */
async function applyFiles({ plane, signal }: Rig, files: readonly string[]): Promise<void> {
  const kubectl = join(await ensureBinary('k1s', signal), 'kubectl');
  const args = ['apply', '--server-side', `--kubeconfig=${plane.kubeconfigPath}`, ...files.map((file) => `-f=${file}`)];
  await output(kubectl, args, { signal });
}

async function startController(rig: Rig, peer: Peer, binary: string): Promise<Child> {
  const [first = 0, second = 0] = await freePorts(2);
  const kubeconfig = await kubeconfigFor(rig, peer.name);
  const metricsUrl = rig.prometheus.address;
  return Child.start(binary, peer.argumentsFor({ kubeconfig, metricsUrl, ports: [first, second] }), {
    env: {},
    logFile: join(rig.dir, `${peer.name}.log`),
    isReady: async () => (await fetch(`http://127.0.0.1:${first}${peer.healthPath}`)).ok,
    readyWithinMs: 60_000,
    signal: rig.signal,
  });
}

/** An account of the peer's own, which may do everything. */
async function kubeconfigFor(rig: Rig, name: PeerName): Promise<string> {
  const apiGroup = 'rbac.authorization.k8s.io';
  await rig.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await rig.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: name } });
  await rig.apply({
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name, namespace: name }],
  });
  return accountKubeconfig(rig, name, name);
}

function readWeight(peer: Peer, keys: readonly string[]) {
  const keyOfIngress = new Map(
    keys.map((key) => {
      const { namespace, name } = split(key);
      return [`${namespace}/${peer.canaryIngress(name)}`, key];
    }),
  );
  return ({ metadata }: KubeObject) => {
    const key = keyOfIngress.get(keyOf(metadata));
    return key === undefined ? undefined : { key, percent: Number(metadata.annotations?.[WEIGHT] ?? 0) };
  };
}

async function makeRollouts(rig: Rig, peer: Peer, keys: readonly string[], fleet: PeerFleet): Promise<void> {
  const metricsUrl = rig.prometheus.address;
  for (const namespace of namespacesOf(keys)) {
    await rig.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    for (const object of peer.shared({ ...fleet, namespace, metricsUrl })) await rig.apply(object);
  }
  await inParallel(keys, WIDTH, async (key) => {
    const { namespace, name } = split(key);
    for (const object of peer.rollout(name, { ...fleet, namespace, metricsUrl })) await rig.apply(object);
  });
}

/** Leaves those alone that are in flight. */
function launcher(rig: Rig, peer: Peer, phases: Phases, weights: WeightWatch<KubeObject>): Contender['launch'] {
  let revision = 0;
  return async (keys, signal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LAUNCH_MS)]);
    const next = `${++revision}`;
    const resting = keys.filter((key) => weights.percentOf(key) === 0);
    // Flagger takes a template that comes in the middle of its rollback for the one that failed.
    await phases.rest(resting, LAUNCH_MS);
    await inParallel(resting, WIDTH, async (key) => {
      const ref = split(key);
      const merge = { spec: { template: templateOf(ref.name, next) } };
      await rig.client.patch(peer.workload, ref, { merge }, { signal: limit, deadlineMs: LAUNCH_MS });
    });
    await Promise.all(resting.map((key) => weights.reaches(key, (percent) => percent > 0, limit)));
  };
}
