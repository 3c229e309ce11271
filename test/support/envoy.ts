import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ensureBinary } from '../../hack/cluster/binaries.ts';
import { until } from './sidecar.ts';

export interface EnvoyOptions {
  /** Of one evaluator, or of several; of several, one that fails is left out from then on. */
  readonly extAuthzPorts: readonly number[];
  readonly contextExtensions: Readonly<Record<string, string>>;
  /** Whether our headers are taken off requests before anything else sees them, as a ClientTrafficPolicy has it done. */
  readonly removesForged: boolean;
}

export interface Answered {
  readonly status: number;
  readonly setCookies: readonly string[];
  /** Which application answered. */
  readonly from: 'stable' | 'canary';
  /** What it got. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface RunningEnvoy {
  /** A request as it is sent here, through Envoy to one of two applications. */
  get(headers?: Readonly<Record<string, string>>): Promise<Answered>;
  /** Its metrics, as Prometheus gets them. */
  prometheus(): Promise<string>;
}

/** A real Envoy on loopback before two applications, which asks a sidecar and routes by the header that it sets. */
export async function startEnvoy(options: EnvoyOptions): Promise<RunningEnvoy> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-envoy-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const stable = await application('stable');
  const canary = await application('canary');
  const config = join(folder, 'envoy.json');
  const adminFile = join(folder, 'admin');
  writeFileSync(config, JSON.stringify(bootstrap(options, { stable, canary })));
  const binary = join(await ensureBinary('envoy', new AbortController().signal), 'envoy');
  const args = ['--config-path', config, '--admin-address-path', adminFile, '--use-dynamic-base-id'];
  const child = spawn(binary, [...args, '--concurrency', '1', '--log-level', 'error', '--drain-time-s', '1'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const said = () => {
    try {
      return readFileSync(adminFile, 'utf8');
    } catch {
      if (child.exitCode !== null) throw new Error(`Envoy ended with ${child.exitCode}`);
      return '';
    }
  };
  await until(() => said() !== '');
  const admin = `http://${said()}`;
  await until(async () => (await fetch(`${admin}/ready`)).ok);
  const [port] = await portsOf(admin);
  return {
    get: (headers = {}) => send(port ?? 0, headers),
    prometheus: async () => (await fetch(`${admin}/stats/prometheus`)).text(),
  };
}

async function portsOf(admin: string): Promise<number[]> {
  const said = (await (await fetch(`${admin}/listeners?format=json`)).json()) as {
    listener_statuses: { local_address: { socket_address: { port_value: number } } }[];
  };
  return said.listener_statuses.map(({ local_address }) => local_address.socket_address.port_value);
}

function send(port: number, headers: Readonly<Record<string, string>>): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, headers: { host: 'shop.example', ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        const setCookies = response.headers['set-cookie'] ?? [];
        resolve({ status, setCookies, ...(status === 200 && JSON.parse(text)) });
      });
    });
    sent.on('error', reject).end();
  });
}

/** Answers with what it got, and a cookie of its own. */
async function application(from: 'stable' | 'canary'): Promise<number> {
  const server = createServer({ maxHeaderSize: 200_000 }, ({ headers }, response) => {
    response.setHeader('set-cookie', ['session=1', 'theme=dark']);
    response.end(JSON.stringify({ from, headers }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  return (server.address() as AddressInfo).port;
}

const typed = (name: string, more: object) => ({ '@type': `type.googleapis.com/${name}`, ...more });

const cluster = (name: string, ports: readonly number[], more: object = {}) => ({
  name,
  connect_timeout: '5s',
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: ports.map((port) => ({ endpoint: endpoint(port) })) }],
  },
  ...more,
});
const endpoint = (port: number) => ({
  address: { socket_address: { address: '127.0.0.1', port_value: port } },
});

/** `backendSettings.healthCheck.passive` of Envoy Gateway. */
const PASSIVE_HEALTH_CHECK = {
  outlier_detection: { consecutive_5xx: 1, base_ejection_time: '600s', max_ejection_percent: 50 },
};

/** As Envoy Gateway 1.9 writes it for a SecurityPolicy with extAuth and recomputeRoute, and a route whose last rule matches our header. */
function bootstrap(options: EnvoyOptions, apps: Readonly<Record<'stable' | 'canary', number>>): object {
  const http2 = typed('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', {
    explicit_http_config: { http2_protocol_options: {} },
  });
  const grpc = {
    typed_extension_protocol_options: { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': http2 },
  };
  const manager = typed(
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    connectionManager(options),
  );
  return {
    admin: endpoint(0),
    static_resources: {
      listeners: [
        {
          name: 'web',
          ...endpoint(0),
          filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
        },
      ],
      clusters: [
        cluster('stable', [apps.stable]),
        cluster('canary', [apps.canary]),
        cluster('authz', options.extAuthzPorts, { ...grpc, ...PASSIVE_HEALTH_CHECK }),
      ],
    },
  };
}

function connectionManager({ contextExtensions, removesForged }: EnvoyOptions): object {
  const perRoute = typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute', {
    check_settings: { context_extensions: contextExtensions },
  });
  const route = (to: string, headers: object[]) => ({
    match: { prefix: '/', headers },
    route: { cluster: to },
    typed_per_filter_config: { ext_authz: perRoute },
  });
  const isCanary = { name: 'x-sluice-revision', string_match: { exact: '7f' } };
  const extAuthz = typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
    transport_api_version: 'V3',
    // Far beyond any test: a busy machine must not decide who wins.
    grpc_service: { envoy_grpc: { cluster_name: 'authz' }, timeout: '30s' },
    failure_mode_allow: true,
    clear_route_cache: true,
  });
  const remove = ['x-sluice-variant', 'x-sluice-unit', 'x-sluice-revision'].map((name) => ({ remove: name }));
  const early = typed('envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation', {
    mutations: remove,
  });
  return {
    stat_prefix: 'web',
    route_config: {
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route('canary', [isCanary]), route('stable', [])] }],
    },
    http_filters: [
      { name: 'ext_authz', typed_config: extAuthz },
      { name: 'router', typed_config: typed('envoy.extensions.filters.http.router.v3.Router', {}) },
    ],
    ...(removesForged && {
      early_header_mutation_extensions: [{ name: 'forged', typed_config: early }],
    }),
  };
}
