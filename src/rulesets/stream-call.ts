import { open } from 'node:fs/promises';
import { type Agent, Agent as HttpAgent, type IncomingMessage, request as requestPlain } from 'node:http';
import { Agent as HttpsAgent, request as requestTls } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SluiceError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';

const MAX_TOKEN_BYTES = 16_384;
/** Two authorities in a rotation, and room. */
const MAX_CA_BYTES = 65_536;
/** Until the headers of an answer. */
const ANSWER_MS = 10_000;

export interface StreamCall {
  readonly url: URL;
  /** Read at each call, because the kubelet puts a new token there before the old one expires. */
  readonly tokenFile: string;
  /** Authorities by which the operator is known (PEM), read at each call; without it those that Node knows. */
  readonly caFile: string | undefined;
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
  const ca = call.caFile === undefined ? undefined : await readAuthorities(call.caFile);
  const response = await send(call, token, ca);
  const { statusCode = 0 } = response;
  if (statusCode >= 200 && statusCode < 300) return response;
  response.resume(); // a connection that is not read to the end is not used again
  throw refusalOf(statusCode, call.url);
}

/** Keeps the connection that has found the leader. */
export const stickyAgent = ({ protocol }: URL): Agent =>
  new (protocol === 'https:' ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: 1 });

async function readToken(path: string): Promise<Secret> {
  const text = await readShort(path, MAX_TOKEN_BYTES).catch((cause) => {
    throw new SluiceError('SLUICE_STREAM_TOKEN', `the token cannot be read: ${reasonOf(cause)}`, {}, cause);
  });
  if (text !== undefined && /^[\x21-\x7e]+$/.test(text)) return new Secret(text);
  throw new SluiceError('SLUICE_STREAM_TOKEN', `${path} holds no token`);
}

async function readAuthorities(path: string): Promise<string> {
  const text = await readShort(path, MAX_CA_BYTES).catch((cause) => {
    throw new SluiceError('SLUICE_STREAM_UNTRUSTED', `--ca-file cannot be read: ${reasonOf(cause)}`, {}, cause);
  });
  if (text?.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new SluiceError('SLUICE_STREAM_UNTRUSTED', `${path} holds no certificate`);
}

/** Without the white space around it; undefined where it is longer. */
async function readShort(path: string, maxBytes: number): Promise<string | undefined> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(maxBytes + 1) });
    return bytesRead > maxBytes ? undefined : buffer.subarray(0, bytesRead).toString('utf8').trim();
  } finally {
    await file.close();
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function send(
  { url, headers, agent, body, signal }: StreamCall,
  token: Secret,
  ca: string | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const request = url.protocol === 'https:' ? requestTls : requestPlain;
    const sent = request(url, {
      method: text === undefined ? 'GET' : 'POST',
      headers: {
        ...headers,
        authorization: `Bearer ${token.reveal()}`,
        ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
      agent: agent ?? false,
      ...(ca !== undefined && { ca }),
      minVersion: 'TLSv1.2',
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
      else reject(new SluiceError(failureOf(sent.socket), `${url.host}: ${cause.message}`, {}, cause));
    });
    sent.end(text);
  });
}

const failureOf = (socket: Socket | null) =>
  (socket as TLSSocket | null)?.authorizationError ? 'SLUICE_STREAM_UNTRUSTED' : 'SLUICE_STREAM_UNREACHABLE';

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
