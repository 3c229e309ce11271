import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { API_PORT, addresses, ETCD_CLIENT_PORT, ETCD_PEER_PORT, NODE_NAME } from './addresses.ts';
import { apiServerArgs, asUser, type ControlPlaneSettings, controllerManagerArgs, etcdArgs } from './control-plane.ts';
import { type Instance, inHome } from './instance.ts';

/** One program of the cluster, as the supervisor runs it. */
export interface Part {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** It starts when all of these exist. A `host:port` or the path of a Unix socket must accept connections. */
  readonly after: {
    readonly listening: readonly string[];
    readonly files: readonly string[];
  };
}

export const settingsOf = (instance: Instance): ControlPlaneSettings => ({
  pkiDir: inHome(instance, 'pki'),
  dataDir: inHome(instance, 'data'),
  address: addresses.node,
  port: API_PORT,
  etcdClientPort: ETCD_CLIENT_PORT,
  etcdPeerPort: ETCD_PEER_PORT,
  serviceRange: addresses.services,
  serviceAddress: addresses.kubernetes,
});

export const containerdSocket = (instance: Instance): string => inHome(instance, 'run', 'containerd.sock');

/** Written when the images that pods need at once are in containerd: kubelet waits for it. */
export const imagesReadyFile = (instance: Instance): string => inHome(instance, 'run', 'images-ready');

/** Written when the API server has been ready once: before, it refuses what the others ask at their start. */
export const apiReadyFile = (instance: Instance): string => inHome(instance, 'run', 'api-ready');

/** Everything that makes up a cluster, in the order of starting; ended in reverse. */
export function partsOf(instance: Instance, binDir: string): Part[] {
  const settings = settingsOf(instance);
  const etcd = `127.0.0.1:${ETCD_CLIENT_PORT}`;
  const socket = containerdSocket(instance);
  const api = [apiReadyFile(instance)];
  const conf = (file: string) => inHome(instance, 'conf', file);
  const part = (name: string, args: readonly string[], listening: string[], files: string[] = []): Part => ({
    name,
    command: join(binDir, name),
    args,
    after: { listening, files },
  });
  return [
    part('etcd', etcdArgs(settings), []),
    { ...part('containerd', [`--config=${conf('containerd.toml')}`], []), command: 'containerd' },
    part('kube-apiserver', [...apiServerArgs(settings), ...nodeFlags(settings.pkiDir)], [etcd]),
    part('kube-controller-manager', [...controllerManagerArgs(settings), `--cluster-cidr=${addresses.pods}`], [], api),
    part('kube-scheduler', asUser(settings.pkiDir, 'kube-scheduler'), [], api),
    part('kubelet', kubeletArgs(instance, conf('kubelet.yaml')), [socket], [...api, imagesReadyFile(instance)]),
    part('kube-proxy', [`--config=${conf('kube-proxy.yaml')}`], [], api),
  ];
}

/** What an API server needs when there are nodes: they have an authorizer of their own, and it calls their kubelets. */
function nodeFlags(pkiDir: string): string[] {
  return [
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    `--advertise-address=${addresses.node}`,
    `--kubelet-client-certificate=${join(pkiDir, 'apiserver-kubelet-client.crt')}`,
    `--kubelet-client-key=${join(pkiDir, 'apiserver-kubelet-client.key')}`,
    `--kubelet-certificate-authority=${join(pkiDir, 'ca.crt')}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--endpoint-reconciler-type=lease',
  ];
}

function kubeletArgs(instance: Instance, config: string): string[] {
  return [
    `--config=${config}`,
    `--kubeconfig=${inHome(instance, 'pki', 'kubelet.kubeconfig')}`,
    `--hostname-override=${NODE_NAME}`,
    `--node-ip=${addresses.node}`,
    `--root-dir=${inHome(instance, 'kubelet')}`,
    `--cert-dir=${inHome(instance, 'kubelet', 'pki')}`,
  ];
}

/** What the supervisor is told to run: a file in the instance's home, so that a restart needs nobody to remember. */
export const planFile = (home: string): string => join(home, 'conf', 'parts.json');

export const readPlan = (home: string): Part[] => JSON.parse(readFileSync(planFile(home), 'utf8'));
