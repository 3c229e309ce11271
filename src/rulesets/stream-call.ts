import { open } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { SluiceError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';

const MAX_TOKEN_BYTES = 16_384;
/** Until the headers of an answer. */
const ANSWER_MS = 10_000;

export interface StreamCall {
  readonly url: URL;
  /** Read at each call, because the kubelet puts a new token there before the old one expires. */
  readonly tokenFile: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Left out: a connection of its own, which may find another replica than the last one did. */
  readonly agent?: Agent;
  /** Sent as JSON by POST. */
  readonly body?: object;
  readonly signal: AbortSignal;
}

/** One request to the operator; answers once the headers are there. Throws one of the codes SLUICE_STREAM_…, or the signal's reason. */
export async function callStream(call: StreamCall): Promise<IncomingMessage> {
  const token = await readToken(call.tokenFile);
  const response = await send(call, token);
  const { statusCode = 0 } = response;
  if (statusCode >= 200 && statusCode < 300) return response;
  response.resume(); // a connection that is not read to the end is not used again
  throw refusalOf(statusCode, call.url);
}

/** Keeps the connection that has found the leader. */
export const stickyAgent = (): Agent => new Agent({ keepAlive: true, maxSockets: 1 });

async function readToken(path: string): Promise<Secret> {
  try {
    const file = await open(path);
    try {
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(MAX_TOKEN_BYTES + 1) });
      const text = buffer.subarray(0, bytesRead).toString('utf8').trim();
      if (bytesRead <= MAX_TOKEN_BYTES && /^[\x21-\x7e]+$/.test(text)) return new Secret(text);
    } finally {
      await file.close();
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('SLUICE_STREAM_TOKEN', `the token cannot be read: ${why}`, {}, cause);
  }
  throw new SluiceError('SLUICE_STREAM_TOKEN', `${path} holds no token`);
}

function send({ url, headers, agent, body, signal }: StreamCall, token: Secret): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const sent = request(url, {
      method: text === undefined ? 'GET' : 'POST',
      headers: {
        ...headers,
        authorization: `Bearer ${token.reveal()}`,
        ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
      agent: agent ?? false,
      signal,
    });
    const late = setTimeout(() => sent.destroy(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
    sent.on('response', (response) => {
      clearTimeout(late);
      resolve(response);
    });
    sent.on('error', (cause) => {
      clearTimeout(late);
      if (signal.aborted) reject(signal.reason);
      else reject(new SluiceError('SLUICE_STREAM_UNREACHABLE', `${url.host}: ${cause.message}`, {}, cause));
    });
    sent.end(text);
  });
}

function refusalOf(status: number, { host }: URL): SluiceError {
  const message = `${host} answers ${status}`;
  switch (status) {
    case 401:
      return new SluiceError('SLUICE_STREAM_TOKEN', message, { status });
    case 403:
      return new SluiceError('SLUICE_STREAM_DENIED', message, { status });
    case 429:
      return new SluiceError('SLUICE_STREAM_OVERLOADED', message, { status });
    case 503:
      return new SluiceError('SLUICE_STREAM_STANDBY', message, { status });
    default: {
      const isServers = status >= 500;
      return new SluiceError(isServers ? 'SLUICE_STREAM_UNREACHABLE' : 'SLUICE_STREAM_REQUEST', message, { status });
    }
  }
}
