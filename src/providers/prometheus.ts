import { Pool } from 'undici';
import type { Clock } from '../base/clock.ts';
import { classifyFailure } from './connection-failure.ts';
import { presentable } from './presentable.ts';
import { type Response, readAnswer } from './prometheus-answer.ts';
import { type PrometheusOptions, readOptions, type Target } from './prometheus-options.ts';
import { type Answer, type MetricProvider, type MetricRequest, providerDown } from './provider.ts';

/** One number is some hundred bytes; a mebibyte holds some thousand series, enough to say how many there are. */
export const MAX_RESPONSE_BYTES = 1024 * 1024;
/** What a template of 8 KiB comes to with the longest names that Kubernetes allows, in all ordinary cases. */
export const MAX_QUERY_BYTES = 32 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 60_000;

export interface PrometheusPorts {
  readonly clock: Clock;
  /** Connections at most. Whoever shares the provider keeps to the same number of queries at a time. */
  readonly maxConnections: number;
}

export interface PrometheusProvider extends MetricProvider {
  /** Ends all connections; queries under way answer `ProviderDown`. */
  close(): Promise<void>;
}

/**
 * Asks a Prometheus, or what speaks its HTTP API. Redirects are not followed, no proxy of the environment is used, and no
 * credential goes anywhere but to the origin of `address`. Throws SLUICE_PROVIDER_* for options that cannot work.
 */
export function createPrometheusProvider(options: PrometheusOptions, ports: PrometheusPorts): PrometheusProvider {
  const target = readOptions(options);
  const pool = new Pool(target.origin, {
    connections: ports.maxConnections,
    pipelining: 1,
    allowH2: false, // one query a connection, so that a slow one cannot hold up another
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Our deadline covers these; undici's own timers would only add a second answer to the same question.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { ...target.connect, timeout: CONNECT_TIMEOUT_MS },
  });
  return {
    query: (request, signal) => query({ pool, target, clock: ports.clock }, request, signal),
    close: () => pool.destroy(),
  };
}

interface Connection {
  readonly pool: Pool;
  readonly target: Target;
  readonly clock: Clock;
}

async function query(connection: Connection, request: MetricRequest, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  const bytes = Buffer.byteLength(request.text);
  if (bytes > MAX_QUERY_BYTES) {
    return { kind: 'BadQuery', message: `the query has ${bytes} bytes with its values, more than ${MAX_QUERY_BYTES}` };
  }
  const deadline = connection.clock.now() + request.timeoutMs;
  const stop = new AbortController();
  const leave = () => stop.abort(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  const cancelTimer = connection.clock.after(request.timeoutMs, () => stop.abort());
  try {
    const answer = await askTwice(connection, request, deadline, stop.signal);
    return presentable(answer, connection.target.secrets);
  } catch (error) {
    signal.throwIfAborted();
    if (stop.signal.aborted) return providerDown('Timeout', `no complete answer within ${request.timeoutMs} ms`);
    throw error;
  } finally {
    cancelTimer();
    signal.removeEventListener('abort', leave);
  }
}

/**
 * A server or balancer may close an idle connection in the moment in which we use it again. That is no outage, and a query
 * changes nothing, so a broken connection is tried once more within the same deadline.
 */
async function askTwice(
  c: Connection,
  request: MetricRequest,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const first = await ask(c, request, deadlineMs, signal);
  return first.kind === 'ProviderDown' && first.cause === 'Reset' ? ask(c, request, deadlineMs, signal) : first;
}

async function ask(c: Connection, request: MetricRequest, deadlineMs: number, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await post(c, request, deadlineMs, signal);
    return response === 'TooLarge'
      ? providerDown('TooLarge', `the response has more than ${MAX_RESPONSE_BYTES} bytes`)
      : readAnswer(response);
  } catch (error) {
    const failure = signal.aborted ? undefined : classifyFailure(error);
    if (!failure) throw error;
    // The alert of a server that refuses our client certificate comes after the handshake, and undici sees only the end.
    const hint = failure.cause === 'Reset' && c.target.origin.startsWith('https:');
    return hint ? { ...failure, message: `${failure.message}, or the server refused our client certificate` } : failure;
  }
}

async function post(
  { pool, target, clock }: Connection,
  request: MetricRequest,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Response | 'TooLarge'> {
  signal.throwIfAborted();
  const leftMs = Math.max(1, Math.ceil(deadlineMs - clock.now()));
  const form = new URLSearchParams({
    query: request.text,
    time: (request.at / 1000).toFixed(3),
    timeout: `${leftMs}ms`, // so that the server stops working on what nobody waits for
  });
  const response = await pool.request({
    method: 'POST',
    path: target.path,
    headers: {
      ...target.headers,
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'sluice',
    },
    body: form.toString(),
    signal,
  });
  const body = await readBounded(response.body);
  return body === 'TooLarge' ? body : { status: response.statusCode, headers: response.headers, body };
}

/** Leaving the loop early destroys the stream and with it the connection. */
async function readBounded(stream: AsyncIterable<Buffer>): Promise<Buffer | 'TooLarge'> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_RESPONSE_BYTES) return 'TooLarge';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
