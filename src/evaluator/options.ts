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

  --client-key-file FILE
                       serve browsers and phones on a port of their own: keys, one a line
  --cors-origin ORIGIN pages that may ask, like https://shop.example; may be given several times
  --client-port NUMBER default 8019

  --host ADDRESS       where to evaluate; default 127.0.0.1
  --port NUMBER        default 8016
  --health-host ADDRESS, --health-port NUMBER
                       /healthz, /readyz, /metrics; default 127.0.0.1 and 8017
  --log-level LEVEL    debug, info, warn, error; default info
  --help
`;

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'];

export interface ClientOptions {
  readonly keyFile: string;
  readonly origins: readonly string[];
  readonly host: string;
  readonly port: number;
}

export interface SidecarOptions {
  readonly files: readonly string[];
  readonly watch: boolean;
  readonly namespace: string | undefined;
  readonly boot: string | undefined;
  readonly stateDir: string | undefined;
  readonly publicKeys: readonly string[];
  /** Undefined: no events are taken. */
  readonly events: EventOptions | undefined;
  /** Undefined: browsers and phones are not served. */
  readonly clients: ClientOptions | undefined;
  readonly evaluation: { readonly host: string; readonly port: number };
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
  const { 'log-level': logLevel = 'info' } = values;
  if (!LOG_LEVELS.includes(logLevel)) throw wrong(`--log-level must be one of ${LOG_LEVELS.join(', ')}`);
  return {
    ...{ files, watch, namespace, boot, stateDir, logLevel },
    publicKeys: values['public-key'] ?? [],
    events: eventsOf(values['events-dir'], values.collector),
    clients: clientsOf(values),
    evaluation: { host: values.host ?? '127.0.0.1', port: portOf('--port', values.port, 8016) },
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
        ...{ 'client-key-file': text, 'client-port': text, 'cors-origin': texts },
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

function clientsOf(values: ReturnType<typeof valuesOf>): ClientOptions | undefined {
  const { 'client-key-file': keyFile, 'cors-origin': origins = [], 'client-port': port } = values;
  if (keyFile === undefined) {
    if (origins.length > 0 || port !== undefined) throw wrong('--cors-origin and --client-port need --client-key-file');
    return undefined;
  }
  const other = origins.find((origin) => !isOrigin(origin));
  if (other !== undefined) throw wrong(`--cors-origin ${other}: must be an origin like https://shop.example`);
  return { keyFile, origins, host: values.host ?? '127.0.0.1', port: portOf('--client-port', port, 8019) };
}

/** As browsers send it: lower case, without a path, without a port that is the scheme's own; other schemes are apps. */
function isOrigin(text: string): boolean {
  if (/^https?:/.test(text)) return URL.parse(text)?.origin === text;
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+$/.test(text);
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
