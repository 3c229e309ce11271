import { KubeConfig } from '@kubernetes/client-node';
import type { Secret } from '../base/secret.ts';
import type { KubeClient } from './client.ts';
import { type ClientPorts, clientOver } from './create-client.ts';
import { CredentialSource } from './credentials.ts';
import { type Sender, Transport } from './transport.ts';

/** What may be called on behalf of somebody else. */
export type CallerClient = Pick<KubeClient, 'get' | 'create' | 'patch' | 'raw'>;

/**
 * Clients that speak with a token that somebody else showed, and with nothing besides. Only the server's address and its
 * authorities are taken from `kubeConfig`: a credential of this process cannot get into a request, because there is none here.
 * They share connections of their own.
 */
export class CallerClients {
  readonly #ports: ClientPorts;
  readonly #transport: Transport;

  constructor(kubeConfig: KubeConfig, ports: ClientPorts) {
    this.#ports = ports;
    this.#transport = new Transport(new CredentialSource(withoutUser(kubeConfig), ports.clock), ports.clock);
  }

  withToken(token: Secret): CallerClient {
    const transport = this.#transport;
    const sender: Sender = {
      send: (lane, request, signal) => {
        const headers = { ...request.headers, authorization: `Bearer ${token.reveal()}` };
        return transport.send(lane, { ...request, headers }, signal);
      },
      distrustCredentials: () => false, // there is no other token to try
      close: async () => {},
    };
    return clientOver(sender, this.#ports);
  }

  close(graceMs = 2_000): Promise<void> {
    return this.#transport.close(graceMs);
  }
}

/** The cluster of the current context, for nobody. */
function withoutUser(kubeConfig: KubeConfig): KubeConfig {
  const cluster = kubeConfig.getCurrentCluster();
  const name = 'caller';
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: cluster ? [cluster] : [],
    users: [{ name }],
    contexts: [{ name, user: name, cluster: cluster?.name ?? name }],
    currentContext: name,
  });
  return config;
}
