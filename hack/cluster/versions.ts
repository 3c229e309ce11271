/**
 * Everything that the local cluster is made of, pinned in one place. Each part is built from its public Go module or
 * taken from a package registry; nothing here names a host.
 */
export const versions = {
  /** The Go that all parts can be built with: the newest that one of them asks for, which is Envoy Gateway. */
  go: '1.26.7',
  /** API server, controller manager, scheduler, kubelet, kube-proxy, kubectl; etcd is the one that it requires itself. */
  kubernetes: '1.34.4',
  coredns: '1.14.7',
  /** Its chart and the Gateway API CRDs come with the module. */
  envoyGateway: '1.9.1',
  /** The CRDs that come with it. */
  gatewayApi: '1.6.1',
  /** The version that Envoy Gateway 1.9.1 runs. */
  envoy: '1.39.1',
  helm: '3.22.0',
  /** Go module version; the release is 3.15.0. */
  prometheus: '0.315.0',
  metricsServer: '0.9.0',
  pause: '1',
} as const;
