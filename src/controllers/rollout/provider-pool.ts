import { createHash } from 'node:crypto';
import type { PrometheusQuery } from '../../api/metric.ts';
import type { Clock } from '../../base/clock.ts';
import { SluiceError } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import { secrets } from '../../kube/builtins.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isRefused, KubeError } from '../../kube/kube-error.ts';
import { createPrometheusProvider } from '../../providers/prometheus.ts';
import type { PrometheusOptions } from '../../providers/prometheus-options.ts';
import { type DownCause, type MetricProvider, providerDown } from '../../providers/provider.ts';
import { DEFAULT_MAX_CONCURRENT, SharedQueries } from '../../providers/shared-queries.ts';

/** Secrets are read again after this, so that a rotated credential is taken up. */
const REFRESH_MS = 60_000;

export interface PoolPorts {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Address for queries that name none. */
  readonly defaultAddress: string;
}

interface Entry {
  readonly fingerprint: string;
  readonly shared: SharedQueries;
  readonly readAt: number;
  close(): void;
}

/** One provider, with its connections and its queue, for each configuration; shared by all Rollouts that use it. */
export class ProviderPool {
  readonly #ports: PoolPorts;
  readonly #entries = new Map<string, Entry>();
  readonly #reading = new Map<string, Promise<MetricProvider>>();
  readonly #end = new AbortController();

  constructor(ports: PoolPorts) {
    this.#ports = ports;
  }

  /** What names the provider of a query, for the phase of its polls. */
  keyOf(query: PrometheusQuery, namespace: string): string {
    const { address = this.#ports.defaultAddress, auth, tls } = query;
    return JSON.stringify([address, auth || tls ? [namespace, auth, tls] : null]);
  }

  /** The provider of a query. One whose Secret cannot be read is down, not an error. */
  async providerOf(query: PrometheusQuery, namespace: string, signal: AbortSignal): Promise<MetricProvider> {
    const key = this.keyOf(query, namespace);
    const known = this.#entries.get(key);
    if (known && this.#ports.clock.now() - known.readAt < REFRESH_MS) return known.shared;
    const provider = await (this.#reading.get(key) ?? this.#read(key, query, namespace));
    signal.throwIfAborted();
    return provider;
  }

  /** One reading at a time for each configuration, whoever asks: two would close the provider of one another. */
  #read(key: string, query: PrometheusQuery, namespace: string): Promise<MetricProvider> {
    const reading = this.#readNow(key, query, namespace).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #readNow(key: string, query: PrometheusQuery, namespace: string): Promise<MetricProvider> {
    const known = this.#entries.get(key);
    try {
      return this.#renew(key, await this.#optionsOf(query, namespace), known);
    } catch (error) {
      this.#end.signal.throwIfAborted();
      // What was read stays good while the API server cannot be asked; the next question tries again.
      if (known && isPassing(error)) return known.shared;
      const message = error instanceof Error ? error.message : String(error);
      return { query: async () => providerDown(causeOf(error), message) };
    }
  }

  #renew(key: string, options: PrometheusOptions, known: Entry | undefined): SharedQueries {
    this.#end.signal.throwIfAborted();
    const { clock } = this.#ports;
    const fingerprint = fingerprintOf(options);
    const readAt = clock.now();
    if (known?.fingerprint === fingerprint) {
      this.#entries.set(key, { ...known, readAt });
      return known.shared;
    }
    const provider = createPrometheusProvider(options, { clock, maxConnections: DEFAULT_MAX_CONCURRENT });
    known?.close();
    const shared = new SharedQueries({ provider, clock, maxConcurrent: DEFAULT_MAX_CONCURRENT });
    const close = () => {
      shared.close();
      void provider.close();
    };
    this.#entries.set(key, { fingerprint, shared, readAt, close });
    return shared;
  }

  async #optionsOf({ address, auth, tls }: PrometheusQuery, namespace: string): Promise<PrometheusOptions> {
    const read = (ref: { name: string; key: string }) => this.#secret(namespace, ref);
    const options = { address: address ?? this.#ports.defaultAddress };
    const withAuth = auth?.bearerToken
      ? { ...options, auth: { kind: 'Bearer' as const, token: new Secret((await read(auth.bearerToken)).trim()) } }
      : auth?.basic
        ? {
            ...options,
            auth: {
              kind: 'Basic' as const,
              username: new Secret(await read(auth.basic.username)),
              password: new Secret(await read(auth.basic.password)),
            },
          }
        : options;
    if (!tls) return withAuth;
    return {
      ...withAuth,
      tls: {
        ...(tls.ca ? { ca: await read(tls.ca) } : {}),
        ...(tls.cert ? { cert: await read(tls.cert) } : {}),
        ...(tls.key ? { key: new Secret(await read(tls.key)) } : {}),
        ...(tls.serverName ? { serverName: tls.serverName } : {}),
        insecureSkipVerify: tls.insecureSkipVerify,
      },
    };
  }

  async #secret(namespace: string, { name, key }: { name: string; key: string }): Promise<string> {
    const call = { signal: this.#end.signal, deadlineMs: 2_000 };
    const secret = await this.#ports.client.get(secrets, { namespace, name }, call);
    const data = secret?.data?.[key];
    if (data === undefined) throw new Error(`Secret ${name} has no key ${key}`);
    return Buffer.from(data, 'base64').toString();
  }

  close(): void {
    this.#end.abort();
    for (const entry of this.#entries.values()) entry.close();
    this.#entries.clear();
  }
}

/** The API server did not answer, or not now; neither that the Secret is gone nor that we may not read it. */
const isPassing = (error: unknown): boolean => error instanceof KubeError && !isRefused(error);

function causeOf(error: unknown): DownCause {
  if (isPassing(error)) return 'Unreachable';
  return error instanceof SluiceError && error.code === 'SLUICE_PROVIDER_TLS_INVALID' ? 'Tls' : 'Unauthorized';
}

/** Changes with any credential, and holds none. */
function fingerprintOf({ address, auth, tls }: PrometheusOptions): string {
  const credentials =
    auth?.kind === 'Bearer' ? [auth.token.reveal()] : auth ? [auth.username.reveal(), auth.password.reveal()] : [];
  const parts = [
    address,
    auth?.kind,
    ...credentials,
    tls?.ca,
    tls?.cert,
    tls?.key?.reveal(),
    tls?.serverName,
    tls?.insecureSkipVerify,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
