import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Outcome } from './outcome.ts';
import type { Sender, Target } from './request.ts';

/**
 * HTTP/1.1, with connections kept and reused, or a new one for each request. While a connection is busy another is
 * opened, so that a slow answer never holds back the next request. Nothing is sent twice: node:http does not retry.
 */
export function http1Sender(target: Target, headers: Readonly<Record<string, string>>, keepAlive: boolean): Sender {
  // In turn, so that a connection once opened stays in use instead of idling towards somebody's timeout.
  const agent = new Agent({ keepAlive, scheduling: 'fifo' });
  return {
    send: ({ method, path, body }, done) => {
      const about =
        body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const request = httpRequest({ ...target, agent, method, path, headers: { ...headers, ...about } });
      request.on('response', (response) => awaitEnd(response, done));
      request.on('error', (error) => done(failure(request, error)));
      request.end(body);
      return () => request.destroy();
    },
    close: () => agent.destroy(),
  };
}

function awaitEnd(response: IncomingMessage, done: (outcome: Outcome) => void): void {
  const status = response.statusCode ?? 0;
  const mark = response.headers['x-shop-version'];
  const version = typeof mark === 'string' ? mark : undefined;
  let code = 'closed';
  response.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? error.message;
  });
  response.on('end', () => done({ kind: 'answer', status, version }));
  response.on('close', () => done({ kind: 'failure', loss: 'cutShort', code, status }));
  response.resume();
}

function failure(request: ClientRequest, error: NodeJS.ErrnoException): Outcome {
  const code = error.code ?? error.message;
  if (error.syscall === 'connect' || error.syscall === 'getaddrinfo') {
    return { kind: 'failure', loss: 'noConnection', code };
  }
  return { kind: 'failure', loss: request.reusedSocket ? 'reusedConnectionClosed' : 'closed', code };
}
