import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { connect as openSocket, type Socket } from 'node:net';
import type { Outcome } from './outcome.ts';
import type { Sender, ShopRequest, Target } from './request.ts';

interface Connection {
  readonly session: ClientHttp2Session;
  isUp: boolean;
  hasServed: boolean;
}

/** HTTP/2 in clear text with prior knowledge: one connection, a new one after GOAWAY or when it broke. */
export class Http2Sender implements Sender {
  readonly #target: Target;
  readonly #headers: Readonly<Record<string, string>>;
  /** After GOAWAY a session only ends its half and waits for the other side: to close for sure, the sockets are kept. */
  readonly #open = new Set<Socket>();
  #current: Connection | undefined;

  /** `headers` hold `:authority` in place of `host`. */
  constructor(target: Target, headers: Readonly<Record<string, string>>) {
    this.#target = target;
    this.#headers = headers;
  }

  send({ method, path, body }: ShopRequest, done: (outcome: Outcome) => void): () => void {
    const connection = this.#connection();
    const about =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const stream = connection.session.request({ ...this.#headers, ':method': method, ':path': path, ...about });
    awaitEnd(stream, connection, done);
    stream.end(body);
    return () => stream.close(constants.NGHTTP2_CANCEL);
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #connection(): Connection {
    const current = this.#current;
    if (current !== undefined && !current.session.closed && !current.session.destroyed) return current;
    const socket = openSocket(this.#target);
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    const session = connect('http://gateway', { createConnection: () => socket });
    const connection: Connection = { session, isUp: false, hasServed: false };
    session.on('connect', () => {
      connection.isUp = true;
    });
    session.on('error', () => {}); // every stream hears of it as well
    this.#current = connection;
    return connection;
  }
}

function awaitEnd(stream: ClientHttp2Stream, connection: Connection, done: (outcome: Outcome) => void): void {
  let status: number | undefined;
  let version: string | undefined;
  let error: NodeJS.ErrnoException | undefined;
  stream.on('response', (headers) => {
    status = headers[':status'];
    const mark = headers['x-shop-version'];
    version = typeof mark === 'string' ? mark : undefined;
  });
  stream.on('error', (streamError) => {
    error = streamError;
  });
  stream.on('close', () => {
    if (status !== undefined && stream.rstCode === constants.NGHTTP2_NO_ERROR && error === undefined) {
      connection.hasServed = true;
      done({ kind: 'answer', status, version });
      return;
    }
    const code = codeOf(error) ?? `RST_STREAM ${stream.rstCode}`;
    const begun = status === undefined ? {} : { status };
    done({ kind: 'failure', loss: lossOf(connection, stream, status), code, ...begun });
  });
  stream.resume();
}

/** A stream that went down with its connection holds the connection's error as the cause. */
function codeOf(error: NodeJS.ErrnoException | undefined): string | undefined {
  const cause = error?.cause;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error?.code;
}

function lossOf(connection: Connection, stream: ClientHttp2Stream, status: number | undefined) {
  if (status !== undefined) return 'cutShort';
  if (!connection.isUp) return 'noConnection';
  if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return 'refusedStream';
  return connection.hasServed ? 'reusedConnectionClosed' : 'closed';
}
