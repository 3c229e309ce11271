import { imageReference } from '../image/cluster-images.ts';
import { addresses, NODE_NAME } from './addresses.ts';
import { makeCertificate, writeKubeconfig } from './certificates.ts';
import { apiServerUrl, makeControlPlanePki } from './control-plane.ts';
import { type Instance, inHome } from './instance.ts';
import { POD_LINK } from './network.ts';
import { containerdSocket, settingsOf } from './parts.ts';
import { writeIfChanged } from './write-whole.ts';

/** Fills `dir` with the control plane's certificates and the node's. */
export async function makeClusterPki(dir: string, instance: Instance, signal: AbortSignal): Promise<void> {
  const settings = settingsOf(instance);
  await makeControlPlanePki(dir, settings, signal);
  const node = { authority: 'ca', subject: `/O=system:nodes/CN=system:node:${NODE_NAME}` };
  await makeCertificate(dir, { ...node, name: 'kubelet', usage: 'clientAuth' }, signal);
  const altNames = [`DNS:${NODE_NAME}`, `IP:${addresses.node}`];
  await makeCertificate(dir, { ...node, name: 'kubelet-server', usage: 'serverAuth', altNames }, signal);
  writeKubeconfig(dir, 'kubelet', apiServerUrl(settings));
}

/** Writes the configuration files of containerd, CNI, kubelet and kube-proxy; an equal file is not touched. */
export function writeNodeConfig(instance: Instance): void {
  const write = (file: string, content: string) => writeIfChanged(inHome(instance, 'conf', file), content);
  const writeJson = (file: string, content: object) => write(file, `${JSON.stringify(content, null, 1)}\n`);
  write('containerd.toml', containerdConfig(instance));
  writeJson('cni/10-sluice.conflist', cniConfig(instance));
  write('resolv.conf', ''); // the cluster's DNS answers for the cluster only
  writeJson('kubelet.yaml', kubeletConfig(instance));
  writeJson('kube-proxy.yaml', kubeProxyConfig(instance));
}

function containerdConfig(instance: Instance): string {
  return `version = 2
root = "${inHome(instance, 'containerd', 'root')}"
state = "${inHome(instance, 'containerd', 'state')}"
disabled_plugins = [
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing", "io.containerd.internal.v1.opt",
]
[grpc]
  address = "${containerdSocket(instance)}"
[ttrpc]
  address = "${containerdSocket(instance)}.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${imageReference('pause')}"
  disable_apparmor = true
  disable_tcp_service = true
  # Without CAP_SYS_RESOURCE a negative score fails, and with it every pod that asks for one.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${inHome(instance, 'conf', 'cni')}"
`;
}

function cniConfig(instance: Instance): object {
  const ipam = { type: 'host-local', dataDir: inHome(instance, 'cni-ipam'), ranges: [[{ subnet: addresses.pods }]] };
  const bridge = { type: 'bridge', bridge: POD_LINK, isGateway: true, isDefaultGateway: true, hairpinMode: true };
  const portmap = { type: 'portmap', capabilities: { portMappings: true } };
  return { cniVersion: '1.0.0', name: 'sluice', plugins: [{ ...bridge, ipMasq: false, ipam }, portmap] };
}

function kubeletConfig(instance: Instance): object {
  const pki = (file: string) => inHome(instance, 'pki', file);
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: addresses.node,
    healthzBindAddress: '127.0.0.1',
    containerRuntimeEndpoint: `unix://${containerdSocket(instance)}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: instance.group.path,
    failSwapOn: false,
    failCgroupV1: false,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pki('ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: pki('kubelet-server.crt'),
    tlsPrivateKeyFile: pki('kubelet-server.key'),
    clusterDomain: 'cluster.local',
    clusterDNS: [addresses.dns],
    resolvConf: inHome(instance, 'conf', 'resolv.conf'),
    podLogsDir: inHome(instance, 'pod-logs'),
    volumePluginDir: inHome(instance, 'kubelet', 'volumeplugins'),
    maxPods: 200,
    nodeStatusUpdateFrequency: '5s',
    nodeStatusReportFrequency: '5m',
    syncFrequency: '10s',
    localStorageCapacityIsolation: false,
    enforceNodeAllocatable: [],
    evictionHard: { 'memory.available': '200Mi', 'nodefs.available': '2%', 'imagefs.available': '2%' },
    imageGCHighThresholdPercent: 100, // images come from us alone: one that is removed would not come back
    oomScoreAdj: 0,
  };
}

function kubeProxyConfig(instance: Instance): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: inHome(instance, 'pki', 'kube-proxy.kubeconfig') },
    mode: 'iptables',
    clusterCIDR: addresses.pods,
    oomScoreAdj: 0,
    hostnameOverride: NODE_NAME,
    bindAddress: '127.0.0.1',
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    nodePortAddresses: ['127.0.0.0/8', `${addresses.node}/32`],
    // The machine's own limits stay as they are.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    iptables: { minSyncPeriod: '0s', syncPeriod: '30s', localhostNodePorts: true },
  };
}
