import { join } from 'node:path';
import { makeAuthority, makeCertificate, makeServiceAccountKey, writeKubeconfig } from './certificates.ts';

/** Where one control plane keeps its things and listens. */
export interface ControlPlaneSettings {
  readonly pkiDir: string;
  readonly dataDir: string;
  /** The API server's address: also in its certificate, and what clients are told. */
  readonly address: string;
  readonly port: number;
  readonly etcdClientPort: number;
  readonly etcdPeerPort: number;
  /** Range of Service addresses; the first is the API server's own. */
  readonly serviceRange: string;
  readonly serviceAddress: string;
}

/** Users of the API that are not service accounts: file name → certificate subject. */
const users = {
  admin: '/O=system:masters/CN=admin',
  'kube-controller-manager': '/CN=system:kube-controller-manager',
  'kube-scheduler': '/CN=system:kube-scheduler',
  'kube-proxy': '/CN=system:kube-proxy',
} as const;

const serverNames = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost'];

export const apiServerUrl = ({ address, port }: ControlPlaneSettings): string => `https://${address}:${port}`;

/** Fills `dir` with the control plane's authorities, certificates, keys and kubeconfigs. */
export async function makeControlPlanePki(
  dir: string,
  settings: ControlPlaneSettings,
  signal: AbortSignal,
): Promise<void> {
  await makeAuthority(dir, 'ca', signal);
  await makeAuthority(dir, 'front-proxy-ca', signal);
  await makeServiceAccountKey(dir, signal);
  const client = { authority: 'ca', usage: 'clientAuth' } as const;
  const altNames = [
    ...serverNames.map((name) => `DNS:${name}`),
    ...new Set(['127.0.0.1', settings.address, settings.serviceAddress].map((address) => `IP:${address}`)),
  ];
  await makeCertificate(
    dir,
    { name: 'apiserver', authority: 'ca', subject: '/CN=kube-apiserver', usage: 'serverAuth', altNames },
    signal,
  );
  const toKubelets = '/O=system:masters/CN=kube-apiserver-kubelet-client';
  await makeCertificate(dir, { ...client, name: 'apiserver-kubelet-client', subject: toKubelets }, signal);
  const frontProxy = { ...client, name: 'front-proxy-client', authority: 'front-proxy-ca' };
  await makeCertificate(dir, { ...frontProxy, subject: '/CN=front-proxy-client' }, signal);
  for (const [name, subject] of Object.entries(users)) {
    await makeCertificate(dir, { ...client, name, subject }, signal);
    writeKubeconfig(dir, name, apiServerUrl(settings));
  }
}

export function etcdArgs({ dataDir, etcdClientPort, etcdPeerPort }: ControlPlaneSettings): string[] {
  return [
    `--data-dir=${join(dataDir, 'etcd')}`,
    `--listen-client-urls=http://127.0.0.1:${etcdClientPort}`,
    `--listen-peer-urls=http://127.0.0.1:${etcdPeerPort}`,
    '--unsafe-no-fsync',
  ];
}

/** Flags that every API server of ours has; the caller adds what makes its own one special. */
export function apiServerArgs(settings: ControlPlaneSettings): string[] {
  const pki = (file: string) => join(settings.pkiDir, file);
  return [
    `--etcd-servers=http://127.0.0.1:${settings.etcdClientPort}`,
    `--bind-address=${settings.address}`,
    `--secure-port=${settings.port}`,
    `--service-cluster-ip-range=${settings.serviceRange}`,
    `--client-ca-file=${pki('ca.crt')}`,
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${pki('sa.pub')}`,
    `--service-account-signing-key-file=${pki('sa.key')}`,
    `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    `--proxy-client-cert-file=${pki('front-proxy-client.crt')}`,
    `--proxy-client-key-file=${pki('front-proxy-client.key')}`,
    '--allow-privileged=true',
    // On by default, and v1, from Kubernetes 1.36 on.
    '--feature-gates=MutatingAdmissionPolicy=true',
    '--runtime-config=admissionregistration.k8s.io/v1beta1=true',
    '--profiling=false',
  ];
}

export function controllerManagerArgs({ pkiDir }: ControlPlaneSettings): string[] {
  const pki = (file: string) => join(pkiDir, file);
  return [
    ...asUser(pkiDir, 'kube-controller-manager'),
    '--allocate-node-cidrs=false',
    `--root-ca-file=${pki('ca.crt')}`,
    `--service-account-private-key-file=${pki('sa.key')}`,
    '--use-service-account-credentials=true',
    `--cluster-signing-cert-file=${pki('ca.crt')}`,
    `--cluster-signing-key-file=${pki('ca.key')}`,
  ];
}

/** Flags of a part that talks to the API server and lets it judge who may read its own metrics. */
export function asUser(pkiDir: string, name: keyof typeof users): string[] {
  const file = join(pkiDir, `${name}.kubeconfig`);
  return [
    `--kubeconfig=${file}`,
    `--authentication-kubeconfig=${file}`,
    `--authorization-kubeconfig=${file}`,
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
    '--profiling=false',
  ];
}
