import { output } from '../../cluster/command.ts';

/** What one run of wrk saw. */
export interface WrkReport {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Answers of another status than 2xx or 3xx, and broken connections. */
  readonly failed: number;
}

const MARK = 'sluice-bench ';
export const CONNECTIONS = 16;

/** wrk's Lua: posts the bodies in turn, and prints one line at the end. */
export function scriptOf(path: string, bodies: readonly string[]): string {
  return `local requests = {}
local headers = { ["Content-Type"] = "application/json" }
function init(args)
${bodies.map((body) => `  requests[#requests + 1] = wrk.format("POST", "${path}", headers, [==[${body}]==])`).join('\n')}
end
local index = 0
function request()
  index = index % #requests + 1
  return requests[index]
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("${MARK}%d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`;
}

/** Reads that line; wrk counts in microseconds. Throws where it is not there. */
export function readReport(text: string): WrkReport {
  const line = text.split('\n').find((one) => one.startsWith(MARK));
  const numbers = line?.slice(MARK.length).split(' ').map(Number);
  if (numbers?.length !== 6 || !numbers.every(Number.isFinite)) throw new Error(`wrk said something else:\n${text}`);
  const [requests, durationUs, p50, p99, max, failed] = numbers as [number, number, number, number, number, number];
  return {
    perSecond: Math.round((requests * 1e6) / durationUs),
    p50Ms: p50 / 1_000,
    p99Ms: p99 / 1_000,
    maxMs: max / 1_000,
    failed,
  };
}

export interface WrkRun {
  readonly url: string;
  readonly script: string;
  readonly seconds: number;
  /** The core that wrk runs on; not the server's. */
  readonly core: number;
  readonly signal: AbortSignal;
}

/** One thread, 16 connections that are kept. */
export async function runWrk({ url, script, seconds, core, signal }: WrkRun): Promise<WrkReport> {
  const wrk = ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', '-s', script, url];
  return readReport(await output('taskset', ['-c', `${core}`, ...wrk], { signal }));
}
