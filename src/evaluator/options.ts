import { parseArgs } from 'node:util';
import { SluiceError } from '../base/errors.ts';
import type { EventOptions } from './events/start-events.ts';

export const HELP = `usage: sluice-sidecar --file PATH [--file PATH ...] [--watch]    flags from YAML files, without Kubernetes
       sluice-sidecar --boot FILE --state-dir DIR                  in a pod

  --file PATH          a YAML file of FeatureFlags, or a folder of such files
  --watch              take in changes of the files
  --namespace NAME     whose flags; default: the only namespace that the files name, else "default"

  --boot FILE          a mounted ruleset.json.gz to begin with
  --state-dir DIR      where the last good ruleset is kept
  --public-key FILE    accept only rulesets signed by this key (PEM); may be given several times

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

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'];

export interface SidecarOptions {
  readonly files: readonly string[];
  readonly watch: boolean;
  readonly namespace: string | undefined;
  readonly boot: string | undefined;
  readonly stateDir: string | undefined;
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
export function parseOptions(args: readonly string[]): SidecarOptions | undefined {
  const values = valuesOf(args);
  if (values.help) return undefined;
  const { file: files = [], boot, 'state-dir': stateDir, watch = false, namespace } = values;
  const isLocal = files.length > 0;
  if (!isLocal && boot === undefined && stateDir === undefined) throw wrong('give --file, or --boot and --state-dir');
  if (isLocal && (boot !== undefined || stateDir !== undefined)) throw wrong('--file excludes --boot and --state-dir');
  if (!isLocal && (watch || namespace !== undefined)) throw wrong('--watch and --namespace need --file');
  const { 'log-level': logLevel = 'info', host = '127.0.0.1', 'ext-authz-port': extAuthzPort } = values;
  if (!LOG_LEVELS.includes(logLevel)) throw wrong(`--log-level must be one of ${LOG_LEVELS.join(', ')}`);
  return {
    ...{ files, watch, namespace, boot, stateDir, logLevel },
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

const text = { type: 'string' } as const;
const texts = { type: 'string', multiple: true } as const;

function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ file: texts, 'public-key': texts, namespace: text, boot: text, 'state-dir': text, host: text, port: text },
        ...{ 'health-host': text, 'health-port': text, 'log-level': text, 'events-dir': text, collector: text },
        'ext-authz-port': text,
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
  const address = collector === undefined ? undefined : URL.parse(collector);
  if (address === null || (address && !/^https?:$/.test(address.protocol)))
    throw wrong('--collector must be an http URL');
  return { directory, collector: address };
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
