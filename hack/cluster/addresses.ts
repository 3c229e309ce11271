/**
 * The addresses of every local cluster, out of 198.18.0.0/15, which is set aside for tests between networks (RFC 2544):
 * nothing real is hidden. Isolated instances have networks of their own and use the same ones.
 */
export const addresses = {
  all: '198.18.0.0/15',
  pods: '198.18.0.0/17',
  services: '198.18.128.0/17',
  /** The API server's Service. */
  kubernetes: '198.18.128.1',
  dns: '198.18.128.10',
  node: '198.19.0.1',
} as const;

export const NODE_NAME = 'node1';
export const API_PORT = 6443;
export const ETCD_CLIENT_PORT = 2379;
export const ETCD_PEER_PORT = 2380;
