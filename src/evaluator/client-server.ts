import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ClientKeys, ticketOf } from './client-keys.ts';
import { clientView } from './client-view.ts';
import { boundRequests, httpApp } from './http-app.ts';
import type { Load } from './load.ts';
import { EVENTS, isEvents, registerOfrep } from './ofrep.ts';
import type { EvaluatorPorts } from './ports.ts';
import { Refusal } from './refusal.ts';
import { tellChanges } from './tell-changes.ts';

/** A page asks before it sends (preflight); browsers keep the answer for 2 hours at most. */
const PREFLIGHT_S = 7_200;
/** What OFREP's web provider sends, and tracing in the page. */
const MAY_SEND =
  'authorization, baggage, content-type, if-none-match, sluice-exposure, traceparent, tracestate, x-api-key';
const MAY_READ = 'etag, retry-after';
/**
 * A third for streams, a third for requests under way, a third that is kept for the next request. Each takes memory before any key
 * is seen: these, with the longest heads, 60 MB.
 */
const MAX_CONNECTIONS = 3_000;

export interface ClientAccess {
  readonly keys: ClientKeys;
  /** Of pages that may read answers, as browsers send them. */
  readonly origins: ReadonlySet<string>;
}

/**
 * The endpoints for browsers and phones, not yet listening: OFREP over the flags with `clientSide`, and `POST /exposures`. What
 * applications on servers have besides is not here at all. `close()` ends the event streams.
 */
export function clientServer(
  ports: Omit<EvaluatorPorts, 'publicKeys'>,
  load: Load,
  { keys, origins }: ClientAccess,
): FastifyInstance {
  const app = httpApp(ports.logger, ports.clock);
  app.server.maxConnections = MAX_CONNECTIONS;
  ports.tracing?.traceRequests(app);
  app.addHook('onRequest', (request, reply, done) => {
    const isAnswered = shareWithPage(request, reply, origins);
    if (!isAnswered) done();
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (isKnown(request, keys)) return done();
    reply.header('www-authenticate', 'Bearer');
    const how = { status: 401, errorCode: 'GENERAL' } as const;
    done(new Refusal('SLUICE_CLIENT_KEY', 'a client key is needed, as bearer token or X-API-Key', how));
  });
  boundRequests(app, load);
  registerOfrep(app, { ...ports, holder: clientView(ports.holder) }, (request) => {
    return `${EVENTS}?ticket=${ticketOf(keyOf(request) ?? '')}`;
  });
  ports.events?.registerEvents(app, ['exposure']);
  tellChanges(app, ports.holder, ports);
  return app;
}

/** CORS for exactly these origins, never with cookies. Answers a preflight, and says whether it has. */
function shareWithPage(request: FastifyRequest, reply: FastifyReply, origins: ReadonlySet<string>): boolean {
  const { origin } = request.headers;
  reply.header('vary', 'origin');
  if (origin === undefined) return false; // no page: a phone
  if (!origins.has(origin)) {
    const how = { status: 403, errorCode: 'GENERAL' } as const;
    throw new Refusal('SLUICE_CLIENT_ORIGIN', 'pages of this origin may not ask here', how);
  }
  reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': MAY_READ });
  if (request.method !== 'OPTIONS') return false;
  reply.headers({ 'access-control-allow-methods': 'GET, POST', 'access-control-allow-headers': MAY_SEND });
  void reply.header('access-control-max-age', String(PREFLIGHT_S)).code(204).send();
  return true;
}

function isKnown(request: FastifyRequest, keys: ClientKeys): boolean {
  const key = keyOf(request);
  if (key !== undefined) return keys.knows(key);
  const { ticket } = request.query as { ticket?: unknown };
  return isEvents(request.url) && typeof ticket === 'string' && keys.knowsTicket(ticket);
}

/** OFREP's two ways to send one. */
function keyOf({ headers }: FastifyRequest): string | undefined {
  const [, bearer] = /^bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const apiKey = headers['x-api-key'];
  return bearer ?? (typeof apiKey === 'string' ? apiKey : undefined);
}
