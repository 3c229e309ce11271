import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { SluiceError } from '../base/errors.ts';
import type { DurationMs } from '../base/units.ts';
import type { EventOptions } from './events/start-events.ts';

export const HELP = `usage: sluice-sidecar --file PATH [--file PATH ...] [--watch]    flags from YAML files, without Kubernetes
       sluice-sidecar --boot FILE --state-dir DIR --operator URL --flag-set NAME    in a pod

  --file PATH          a YAML file of FeatureFlags, or a folder of such files
  --watch              take in changes of the files
  --namespace NAME     whose flags; default: the only namespace that the files name, else "default"

  --boot FILE          a mounted ruleset.json.gz to begin with
  --state-dir DIR      where the last good ruleset is kept
  --operator URL       whose stream of rulesets to follow, such as https://sluice-rulesets.sluice-system.svc:8082
  --flag-set NAME      whose flags: a namespace; needed with --operator
  --subscriber NAME    who this is; default: the environment's POD_NAME, else the name of the host
  --token-file FILE    service-account token of audience sluice; default /var/run/secrets/sluice/token
  --ca-file FILE       authorities by which the operator is known (PEM); read at each connection, so it may come later
  --fail-closed-after DURATION
                       refuse to evaluate after so long without a word from the operator, such as 90s, 15m, 12h, 2d;
                       at least 30s; default: never
  --ready-without-after DURATION
                       be ready without any ruleset after so long, so that what waits for this can start; default: never
  --public-key FILE    accept only rulesets signed by this key (PEM), which may come later; may be given several times

  --events-dir DIR     take exposures and metric events, which wait here; used by one process at a time
  --collector URL      where they are sent; needs --events-dir

  --ext-authz-port NUMBER
                       answer a gateway's checks (Envoy ext_authz over gRPC), on the same host; usually 8018; default: off

  --host ADDRESS       where to evaluate; default 127.0.0.1
  --port NUMBER        default 8016
  --health-host ADDRESS, --health-port NUMBER
                       /healthz, /readyz, /metrics; default 127.0.0.1 and 8017
  --log-level LEVEL    debug, info, warn, error; default info
  --help
`;

/** Where a projected volume is mounted by injection. */
const TOKEN_FILE = '/var/run/secrets/sluice/token';
/** An operator that is well says something every 15 s. */
const LEAST_FAIL_CLOSED_MS = 30_000;
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'];

/** The operator's stream, and who listens. */
export interface StreamOptions {
  readonly address: string;
  readonly flagSetId: string;
  readonly subscriber: string;
  readonly tokenFile: string;
  readonly caFile: string | undefined;
}

export interface SidecarOptions {
  readonly files: readonly string[];
  readonly watch: boolean;
  readonly namespace: string | undefined;
  readonly boot: string | undefined;
  readonly stateDir: string | undefined;
  /** Undefined: changes come with files only. */
  readonly stream: StreamOptions | undefined;
  /** Undefined: what is held answers for ever. */
  readonly failClosedAfterMs: DurationMs | undefined;
  /** Undefined: not ready before a ruleset. */
  readonly readyWithoutAfterMs: DurationMs | undefined;
  readonly publicKeys: readonly string[];
  /** Undefined: no events are taken. */
  readonly events: EventOptions | undefined;
  readonly evaluation: { readonly host: string; readonly port: number };
  /** Undefined: no gateway asks. */
  readonly extAuthz: { readonly host: string; readonly port: number } | undefined;
  readonly health: { readonly host: string; readonly port: number };
  readonly logLevel: string;
}

/** The command line; undefined where help was asked for. Throws SLUICE_SIDECAR_ARGUMENT. */
export function parseOptions(args: readonly string[], environment = process.env): SidecarOptions | undefined {
  const values = valuesOf(args);
  if (values.help) return undefined;
  const { file: files = [], boot, 'state-dir': stateDir, watch = false, namespace } = values;
  refuseMixtures(values);
  const { 'log-level': logLevel = 'info', host = '127.0.0.1', 'ext-authz-port': extAuthzPort } = values;
  if (!LOG_LEVELS.includes(logLevel)) throw wrong(`--log-level must be one of ${LOG_LEVELS.join(', ')}`);
  return {
    ...{ files, watch, namespace, boot, stateDir, logLevel },
    stream: streamOf(values, environment),
    failClosedAfterMs: failClosedAfterOf(values['fail-closed-after']),
    readyWithoutAfterMs: durationOf('--ready-without-after', values['ready-without-after']),
    publicKeys: values['public-key'] ?? [],
    events: eventsOf(values['events-dir'], values.collector),
    evaluation: { host, port: portOf('--port', values.port, 8016) },
    extAuthz: extAuthzPort === undefined ? undefined : { host, port: portOf('--ext-authz-port', extAuthzPort, 8018) },
    health: {
      host: values['health-host'] ?? '127.0.0.1',
      port: portOf('--health-port', values['health-port'], 8017),
    },
  };
}

type Values = ReturnType<typeof valuesOf>;

/** Files are local mode; everything else is for a pod. */
function refuseMixtures(values: Values): void {
  const { file, watch, namespace, boot, 'state-dir': stateDir, operator } = values;
  const isInPod = boot !== undefined || stateDir !== undefined || operator !== undefined;
  if (file && isInPod) throw wrong('--file excludes --boot, --state-dir and --operator');
  if (!file && !isInPod) throw wrong('give --file, or --boot, --state-dir and --operator');
  if (!file && (watch || namespace !== undefined)) throw wrong('--watch and --namespace need --file');
  if (operator !== undefined) return;
  for (const name of ['flag-set', 'subscriber', 'token-file', 'ca-file', 'fail-closed-after'] as const)
    if (values[name] !== undefined) throw wrong(`--${name} needs --operator`);
}

function streamOf(values: Values, environment: NodeJS.ProcessEnv): StreamOptions | undefined {
  const { operator, 'flag-set': flagSetId, 'ca-file': caFile, subscriber, 'token-file': tokenFile } = values;
  if (operator === undefined) return undefined;
  if (!isHttp(operator)) throw wrong('--operator must be an http or https URL');
  if (flagSetId === undefined || flagSetId === '') throw wrong('--operator needs --flag-set');
  return {
    address: operator,
    flagSetId,
    subscriber: subscriber ?? environment.POD_NAME ?? hostname().toLowerCase(),
    tokenFile: tokenFile ?? TOKEN_FILE,
    caFile,
  };
}

const text = { type: 'string' } as const;
const texts = { type: 'string', multiple: true } as const;

function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ file: texts, 'public-key': texts, namespace: text, boot: text, 'state-dir': text, host: text, port: text },
        ...{ 'health-host': text, 'health-port': text, 'log-level': text, 'events-dir': text, collector: text },
        ...{ operator: text, 'flag-set': text, subscriber: text, 'token-file': text, 'ca-file': text },
        ...{ 'fail-closed-after': text, 'ready-without-after': text, 'ext-authz-port': text },
        watch: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message : String(cause));
  }
}

function eventsOf(directory: string | undefined, collector: string | undefined): EventOptions | undefined {
  if (directory === undefined) {
    if (collector !== undefined) throw wrong('--collector needs --events-dir');
    return undefined;
  }
  if (collector !== undefined && !isHttp(collector)) throw wrong('--collector must be an http URL');
  return { directory, collector: collector === undefined ? undefined : new URL(collector) };
}

const isHttp = (address: string): boolean => /^https?:$/.test(URL.parse(address)?.protocol ?? '');

function failClosedAfterOf(said: string | undefined): DurationMs | undefined {
  const ms = durationOf('--fail-closed-after', said);
  if (ms !== undefined && ms < LEAST_FAIL_CLOSED_MS) throw wrong('--fail-closed-after must be at least 30s');
  return ms;
}

function durationOf(name: string, said: string | undefined): DurationMs | undefined {
  if (said === undefined) return undefined;
  const [, count = '', unit = ''] = /^([1-9][0-9]{0,5})([smhd])$/.exec(said) ?? [];
  if (unit === '') throw wrong(`${name} must be a number and one of s, m, h and d, such as 15m`);
  return (Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]) as DurationMs;
}

function portOf(name: string, said: string | undefined, otherwise: number): number {
  if (said === undefined) return otherwise;
  const port = Number(said);
  if (said.trim() === '' || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw wrong(`${name} must be a number from 0 (any free port) to 65535`);
  }
  return port;
}

const wrong = (message: string): SluiceError => new SluiceError('SLUICE_SIDECAR_ARGUMENT', message);
