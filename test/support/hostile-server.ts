import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';

interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly form: URLSearchParams;
}

/** A server on loopback that misbehaves as told. `requests` holds what reached it, complete with body. */
export interface HostileServer {
  readonly port: number;
  readonly url: string;
  readonly requests: Recorded[];
  /** Connections accepted so far. */
  readonly connections: () => number;
  close(): Promise<void>;
}

export type Behaviour = (response: ServerResponse, request: Recorded, count: number) => void;

/** Answers each request by `behave`, over TLS when `tls` is given. */
export async function startHttp(behave: Behaviour, tls?: TlsOptions): Promise<HostileServer> {
  const requests: Recorded[] = [];
  const handle = (incoming: IncomingMessage, response: ServerResponse) => {
    let body = '';
    incoming.setEncoding('utf8');
    incoming.on('data', (chunk) => {
      body += chunk;
    });
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      const request = { method, path: url, headers, form: new URLSearchParams(body) };
      requests.push(request);
      behave(response, request, requests.length);
    });
  };
  const server = tls ? createHttpsServer(tls, handle) : createHttpServer(handle);
  return listen(server, tls ? 'https' : 'http', requests);
}

/** Speaks bytes, not HTTP: `behave` gets each connection. */
export function startTcp(behave: (socket: Socket) => void): Promise<HostileServer> {
  return listen(
    createTcpServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {}); // the client may reset what we hold open
      behave(socket);
    }),
    'http',
    [],
  );
}

async function listen(server: Server, scheme: string, requests: Recorded[]): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

export function json(response: ServerResponse, status: number, content: unknown, headers: Record<string, string> = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof content === 'string' ? content : JSON.stringify(content));
}

/** A successful answer with one sample. */
export const vectorOf = (...values: string[]) => ({
  status: 'success',
  data: {
    resultType: 'vector',
    result: values.map((value, i) => ({ metric: { pod: `p${i}` }, value: [1000, value] })),
  },
});
