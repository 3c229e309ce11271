import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { parseBody } from './json-body.ts';
import type { Load } from './load.ts';
import { isEvents } from './ofrep.ts';
import { overloaded, Refusal, refusalOf, sendRefusal } from './refusal.ts';

export const MAX_BODY_BYTES = 1_048_576;
/** To receive a whole request. */
const REQUEST_TIMEOUT_MS = 10_000;
/** From the head of a request until its answer is read whole. */
const EXCHANGE_MS = 30_000;
const KEEP_ALIVE_MS = 75_000;
const MAX_KEY_CHARS = 4_096;

/** What every server of evaluations has in common: limits, JSON, and errors in one form. */
export function httpApp(logger: Logger, clock: Clock): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { connectionsCheckingInterval: REQUEST_TIMEOUT_MS / 5 },
    // OFREP's clients do not understand the 503 that would be said otherwise; what still comes is answered.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_KEY_CHARS },
    frameworkErrors: (error, request, reply) => {
      void sendRefusal(refusalOf(error) ?? internal(), request, reply);
    },
  });
  boundTime(app, clock);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/([\w.-]+\+)?json\b/, { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, parseBody(String(body)));
    } catch (error) {
      done(error as Error);
    }
  });
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error);
    if (!refusal) logger.error({ error: String(error) }, 'a request failed');
    return sendRefusal(refusal ?? internal(), request, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    const how = { status: 404, errorCode: 'GENERAL' } as const;
    const message = 'there is no such endpoint; docs/sidecar.md lists them';
    return sendRefusal(new Refusal('SLUICE_REQUEST_INVALID', message, how), request, reply);
  });
  return app;
}

/** Who does not read an answer would keep it, and its place, for ever. Streams, which took their reply over, bound what waits. */
function boundTime(app: FastifyInstance, clock: Clock): void {
  app.addHook('onRequest', (_request, reply, done) => {
    const cancel = clock.after(EXCHANGE_MS, () => {
      const isStream = reply.sent && !reply.raw.writableEnded;
      if (!isStream) reply.raw.destroy();
    });
    reply.raw.on('close', cancel);
    done();
  });
}

/** What is under way is bounded; and when the server closes, connections end with the requests on them. */
export function boundRequests(app: FastifyInstance, load: Load): void {
  let isClosing = false;
  app.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  app.addHook('onRequest', (request, reply, done) => {
    const leave = opensStream(request) ? () => {} : load.enter(lengthOf(request));
    if (leave === undefined) {
      done(overloaded('too much is under way'));
      return;
    }
    reply.raw.on('close', () => {
      leave();
      // The connection stays open for another request, for which closing would wait.
      if (isClosing) setImmediate(() => app.server.closeIdleConnections());
    });
    done();
  });
}

/** Streams are counted apart. */
const opensStream = ({ method, url }: FastifyRequest): boolean => method === 'GET' && isEvents(url);

/**
 * Bytes of the body that are announced; undefined where nobody knows. Nothing reads a body of these methods; of others it is held, also
 * at an address that does not take it.
 */
const lengthOf = ({ method, headers }: FastifyRequest): string | undefined =>
  method === 'GET' || method === 'HEAD' ? '0' : headers['content-length'];

const internal = (): Refusal =>
  new Refusal('SLUICE_INTERNAL', 'the request failed', { status: 500, errorCode: 'GENERAL' });
