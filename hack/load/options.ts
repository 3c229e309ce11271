import { parseArgs } from 'node:util';
import { parseDuration } from '../../src/api/duration.ts';
import type { ClientGroup } from './load.ts';
import { clientKinds } from './outcome.ts';
import type { Target } from './request.ts';

export const USAGE = `node hack/load/main.ts --target HOST:PORT --host NAME [options]
Sends requests to the example shop at a constant rate and reports what was lost.
  --target HOST:PORT     the gateway
  --host NAME            Host header
  --duration 30s         how long to send; without it, until SIGTERM or SIGINT
  --client KIND:COUNT:RATE[:NAME=VALUE,...]
                         clients of a kind (keep-alive, post, http2, short), requests a second of all of them together,
                         headers; may be repeated; default: a mix of all kinds, and two clients with x-team=shop
  --timeout 10s          time for one answer
  --follow               one line of JSON a second: {"type":"second",...}
  --json                 the report as one line of JSON at the end: {"type":"report",...}`;

/** 150 requests a second from 300 users: what two cores can spare beside a whole cluster. */
export const mixedClients: readonly ClientGroup[] = [
  { kind: 'keep-alive', count: 60, ratePerSecond: 60 },
  { kind: 'post', count: 30, ratePerSecond: 30 },
  { kind: 'http2', count: 20, ratePerSecond: 40 },
  { kind: 'short', count: 188, ratePerSecond: 15 },
  { kind: 'keep-alive', count: 2, ratePerSecond: 5, headers: { 'x-team': 'shop' } },
];

export interface CommandLine {
  readonly target: Target;
  readonly hostHeader: string;
  readonly durationMs: number | undefined;
  readonly timeoutMs: number;
  readonly clients: readonly ClientGroup[];
  readonly follow: boolean;
  readonly json: boolean;
}

/** Throws with one sentence on what is wrong. `help` where it was asked for. */
export function readCommandLine(args: readonly string[]): CommandLine | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: 'string' },
      host: { type: 'string' },
      duration: { type: 'string' },
      timeout: { type: 'string', default: '10s' },
      client: { type: 'string', multiple: true },
      follow: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.target === undefined || values.host === undefined) throw new Error('--target and --host are needed');
  return {
    target: readTarget(values.target),
    hostHeader: values.host,
    durationMs: values.duration === undefined ? undefined : readDuration('--duration', values.duration),
    timeoutMs: readDuration('--timeout', values.timeout),
    clients: values.client?.map(readGroup) ?? mixedClients,
    follow: values.follow,
    json: values.json,
  };
}

function readTarget(text: string): Target {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || port === undefined) throw new Error(`--target must be HOST:PORT, not ${text}`);
  return { host, port: Number(port) };
}

function readDuration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new Error(`${option} must be a duration like 30s, not ${text}`);
  return ms;
}

function readGroup(text: string): ClientGroup {
  const [name, count, rate, ...rest] = text.split(':');
  const kind = clientKinds.find((known) => known === name);
  if (kind === undefined) throw new Error(`--client: ${name} is none of ${clientKinds.join(', ')}`);
  const pairs = rest.join(':').split(',').filter(Boolean);
  const headers = Object.fromEntries(pairs.map((pair) => [pair.split('=', 1)[0], pair.slice(pair.indexOf('=') + 1)]));
  return { kind, count: Number(count), ratePerSecond: Number(rate), headers };
}
