import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import type { Cluster, KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../base/clock.ts';
import { SluiceError } from '../base/errors.ts';
import { reasonOf } from './reason.ts';

// client-node looks at a token file once a minute by itself; certificates and exec plug-ins are looked at this often.
const REFRESH_MS = 10_000;

/** How to reach the API server now. `tlsDigest` changes when a CA or client certificate was exchanged. */
export interface Credentials {
  readonly server: URL;
  /** Authorization and impersonation; secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: ReturnType<KubeConfig['createDispatcherOptions']>;
  readonly tlsDigest: string;
}

/** Reads the current context's credentials, again after a while or once `forget` was called (on a 401). */
export class CredentialSource {
  readonly #config: KubeConfig;
  readonly #cluster: Cluster;
  readonly #server: URL;
  readonly #clock: Clock;
  #last: { readonly value: Promise<Credentials>; readonly readAtMs: number } | undefined;

  constructor(config: KubeConfig, clock: Clock) {
    const cluster = config.getCurrentCluster();
    if (!cluster || !URL.canParse(cluster.server)) {
      throw new SluiceError('SLUICE_KUBE_CONFIG', `context "${config.getCurrentContext()}" names no usable cluster`);
    }
    this.#config = config;
    this.#cluster = cluster;
    this.#server = new URL(cluster.server);
    this.#clock = clock;
  }

  current(): Promise<Credentials> {
    const nowMs = this.#clock.now();
    if (!this.#last || nowMs - this.#last.readAtMs >= REFRESH_MS) {
      const value = this.#read();
      this.#last = { value, readAtMs: nowMs };
      // A file that is being exchanged, or a plug-in that failed, must not be remembered.
      value.catch(() => this.forget());
    }
    return this.#last.value;
  }

  forget(): void {
    this.#last = undefined;
  }

  async #read(): Promise<Credentials> {
    const options: RequestOptions = {};
    try {
      await this.#config.applyToHTTPSOptions(options);
      const tokenFile: unknown = this.#config.getCurrentUser()?.authProvider?.config?.tokenFile;
      // The library keeps what it has read for a minute, and knows nothing of a token that was refused.
      if (typeof tokenFile === 'string') {
        options.headers = { ...options.headers, Authorization: `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}` };
      }
      const dispatcher = this.#config.createDispatcherOptions(this.#cluster, { ...options, agent: undefined } as never);
      return { server: this.#server, headers: headersOf(options), dispatcher, tlsDigest: digestOf(dispatcher) };
    } catch (cause) {
      const why = reasonOf(cause);
      throw new SluiceError('SLUICE_KUBE_CONFIG', `cannot read the credentials of the API server: ${why}`, {}, cause);
    }
  }
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const named = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value).trim()]);
  if (auth) named.push(['authorization', `Basic ${Buffer.from(auth).toString('base64')}`]);
  return Object.fromEntries(named);
}

const digestOf = (dispatcher: Credentials['dispatcher']): string =>
  createHash('sha256').update(JSON.stringify(dispatcher)).digest('base64');
