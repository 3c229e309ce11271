import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Clock } from '../base/clock.ts';
import { type Code, SluiceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { Secret } from '../base/secret.ts';
import { acknowledgementSchema } from '../wire/acknowledgement.ts';
import type { Authoriser, Identity } from './authoriser.ts';
import type { RulesetHub } from './hub.ts';

export type StreamServer = FastifyInstance<HttpServer | HttpsServer>;

export interface StreamServerPorts {
  /** Undefined in a replica that does not serve. */
  hub(): RulesetHub | undefined;
  readonly authoriser: Authoriser;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Certificate and key in PEM. */
export interface StreamTls {
  readonly cert: string;
  /** Secret. */
  readonly key: string;
}

export interface StreamLimits {
  readonly streams: number;
  /** Bytes of acknowledgements that are held at a time. */
  readonly bodyBytes: number;
}

/** Of one acknowledgement. Evaluators send at most 1,000 keys in one. */
const MAX_ACK_BYTES = 1_048_576;
const MAX_TOKEN_CHARS = 16_384;
/** Longer than evaluators are silent between two acknowledgements, so that these keep finding the leader. */
const KEEP_ALIVE_MS = 400_000;
/** A stream and its acknowledgements; and some who come and go. */
const CONNECTIONS_PER_STREAM = 2.2;
/** Thousands may come at a time when a leader changes; handshakes wait for each other then. */
const TLS = { minVersion: 'TLSv1.2', handshakeTimeout: 30_000 } as const;
const NAME = /^[a-z0-9][a-z0-9.-]{0,252}$/;

const STATUS: Partial<Record<Code, number>> = {
  SLUICE_STREAM_TOKEN: 401,
  SLUICE_STREAM_DENIED: 403,
  SLUICE_STREAM_REQUEST: 400,
  SLUICE_STREAM_STANDBY: 503,
  SLUICE_STREAM_OVERLOADED: 429,
};

/**
 * `GET /rulesets/<flag set>?subscriber=<pod>`: server-sent events `snapshot` (data: the sealed ruleset as JSON in gzip in Base64; id: its
 * revision) and `ping`. `POST /acks`. Both for bearers of a token that the authoriser knows. Not yet listening. Without `tls` it is
 * plain HTTP.
 */
export function streamServer(ports: StreamServerPorts, limits: StreamLimits, tls?: StreamTls): StreamServer {
  const app: StreamServer = fastify({
    https: tls ? { ...TLS, ...tls } : null,
    logger: false,
    bodyLimit: MAX_ACK_BYTES,
    requestTimeout: 10_000,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    return503OnClosing: false,
  });
  app.setErrorHandler((error, _request, reply) => refuse(ports, error, reply));
  app.setNotFoundHandler((_request, reply) => refuse(ports, wrong('there is no such endpoint'), reply));
  app.server.maxConnections = Math.ceil(limits.streams * CONNECTIONS_PER_STREAM);
  registerStream(app, ports, limits.streams);
  registerAcks(app, ports, limits.bodyBytes);
  return app;
}

/** New connections get this certificate; those that are open go on. */
export function reloadTls({ server }: StreamServer, { cert, key }: StreamTls): void {
  if ('setSecureContext' in server) server.setSecureContext({ cert, key, minVersion: TLS.minVersion });
}

function registerStream(app: StreamServer, ports: StreamServerPorts, maxStreams: number): void {
  const { clock } = ports;
  app.get('/rulesets/:flagSetId', async (request, reply) => {
    const { flagSetId } = request.params as { flagSetId: string };
    leading(ports);
    const identity = await identified(ports, request);
    const { subscriber } = request.query as { subscriber?: unknown };
    if (!NAME.test(flagSetId) || typeof subscriber !== 'string' || !NAME.test(subscriber))
      throw wrong('flag set and subscriber must be names of Kubernetes');
    const id = idOf(identity, subscriber);
    await allow(ports, identity, flagSetId);
    // Asked again: the lead may have been lost meanwhile.
    const hub = leading(ports);
    if (hub.subscribers >= maxStreams) throw new SluiceError('SLUICE_STREAM_OVERLOADED', 'there are too many streams');
    reply.hijack();
    const out = reply.raw;
    out.on('error', () => {}); // `close` follows
    if (out.destroyed) return;
    out.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'close' });
    const leave = hub.join({ flagSetId, id, lastRevision: lastRevision(request), out });
    const cancelEnd = clock.after(Math.max(0, identity.expiresAt - clock.now()), () => out.end());
    out.on('close', () => {
      cancelEnd();
      leave();
    });
  });
}

function registerAcks(app: StreamServer, ports: StreamServerPorts, maxBytes: number): void {
  let heldBytes = 0;
  const identities = new WeakMap<FastifyRequest, Identity>();
  const onRequest = async (request: FastifyRequest, reply: FastifyReply) => {
    leading(ports);
    identities.set(request, await identified(ports, request)); // before any of the body is kept
    // Its `close` has been: what it takes would never be given back.
    if (reply.raw.destroyed) throw wrong('the evaluator went before its token was reviewed');
    const bytes = Number(request.headers['content-length'] ?? MAX_ACK_BYTES);
    if (heldBytes + bytes > maxBytes)
      throw new SluiceError('SLUICE_STREAM_OVERLOADED', 'too many acknowledgements come at a time');
    heldBytes += bytes;
    reply.raw.on('close', () => {
      heldBytes -= bytes;
    });
  };
  app.post('/acks', { onRequest }, async (request, reply) => {
    const hub = leading(ports);
    const ack = acknowledgementSchema.safeParse(request.body);
    if (!ack.success) throw wrong(ack.error.issues[0]?.message ?? 'the acknowledgement cannot be read');
    const identity = identities.get(request) as Identity;
    const id = idOf(identity, ack.data.subscriber);
    const { flagSetId, revision, digest, state, reason } = ack.data;
    if (state === 'Refused')
      ports.logger.warn({ flagSetId, revision, digest, evaluator: id, reason }, 'an evaluator refused a ruleset');
    const isStranger = hub.hearsAll && !hub.listens(flagSetId, id);
    if (isStranger) await allow(ports, identity, flagSetId);
    // What someone says who has no stream anywhere is left aside: it says it again when it has.
    hub.acknowledge(id, ack.data);
    return reply.code(204).send();
  });
}

function leading({ hub }: StreamServerPorts): RulesetHub {
  const found = hub();
  if (!found) throw new SluiceError('SLUICE_STREAM_STANDBY', 'this replica of the operator does not serve');
  return found;
}

async function identified({ authoriser, clock }: StreamServerPorts, { headers }: FastifyRequest): Promise<Identity> {
  const [, token] = /^Bearer ([\x21-\x7e]+)$/i.exec(headers.authorization ?? '') ?? [];
  const isUsable = token !== undefined && token.length <= MAX_TOKEN_CHARS;
  const identity = isUsable ? await authoriser.identify(new Secret(token)) : undefined;
  if (identity && identity.expiresAt > clock.now()) return identity;
  throw new SluiceError('SLUICE_STREAM_TOKEN', 'there is no token, or one that is not good here');
}

async function allow({ authoriser }: StreamServerPorts, identity: Identity, flagSetId: string): Promise<void> {
  if (await authoriser.mayRead(identity, flagSetId)) return;
  throw new SluiceError('SLUICE_STREAM_DENIED', `${identity.user} may not read the flags of ${flagSetId}`);
}

/** A token that is bound to a pod speaks for no other. */
function idOf({ user, pod }: Identity, subscriber: string): string {
  if (pod !== undefined && pod !== subscriber)
    throw new SluiceError('SLUICE_STREAM_DENIED', `the token of the pod ${pod} speaks for ${subscriber}`);
  return `${user}/${subscriber}`;
}

function lastRevision({ headers }: FastifyRequest): number | undefined {
  const text = headers['last-event-id'];
  return typeof text === 'string' && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

const wrong = (message: string): SluiceError => new SluiceError('SLUICE_STREAM_REQUEST', message);

function refuse({ logger }: StreamServerPorts, error: unknown, reply: FastifyReply): FastifyReply {
  const { status, code, message } = answerTo(error);
  if (status >= 500 && code === 'SLUICE_STREAM_UNREACHABLE')
    logger.error({ err: error }, 'a request of an evaluator was not answered');
  if (status === 503 || status === 429) reply.header('retry-after', '1');
  // The next connection may find another replica.
  return reply.code(status).header('connection', 'close').send({ code, message });
}

function answerTo(error: unknown): { readonly status: number; readonly code: Code; readonly message: string } {
  const { statusCode = 500, message } = error as { statusCode?: number; message: string };
  const known = error instanceof SluiceError ? STATUS[error.code] : undefined;
  if (known !== undefined) return { status: known, code: (error as SluiceError).code, message };
  if (statusCode < 500) return { status: statusCode, code: 'SLUICE_STREAM_REQUEST', message };
  // The API server could not be asked; what went wrong there is nobody else's to read.
  return { status: 502, code: 'SLUICE_STREAM_UNREACHABLE', message: 'the token could not be reviewed' };
}
