import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { withDeadline } from '../../kube/deadline.ts';
import type { TlsPair } from '../../kube/webhook-server.ts';
import type { Operation } from '../../wire/openapi.ts';
import { type Audited, audit } from './audit.ts';
import { ApiRefusal, failureOf, invalid } from './failure.ts';
import { type ApiLimits, type ApiPorts, type Caller, Gate, MAX_BODY_BYTES, MAX_TOKEN_CHARS } from './gate.ts';
import { handlers } from './handlers.ts';
import { apiDocument, type OperationName, operations } from './operations.ts';
import { readJson, readQuery } from './parsed.ts';
import { responseSchemas } from './response-schema.ts';

/** To receive a whole request. */
const REQUEST_TIMEOUT_MS = 10_000;
/** From the whole request to the answer. */
const DEADLINE_MS = 15_000;
const KEEP_ALIVE_MS = 75_000;
/** A key of 253 characters may take 2,277 bytes in a path. */
const MAX_PARAM_CHARS = 4_096;

/** The operator's HTTP API, not yet listening. `tls`: of the first connections; `server.setSecureContext` brings others. */
export function apiServer(ports: ApiPorts, limits: ApiLimits, tls: TlsPair): FastifyInstance {
  const app = fastify({
    logger: false,
    https: { ...tls, minVersion: 'TLSv1.2', handshakeTimeout: 5_000, maxHeaderSize: 2 * MAX_TOKEN_CHARS },
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: requestIdOf,
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    frameworkErrors: (error, request, reply) => void refuse(ports, error, request, reply),
  }) as unknown as FastifyInstance;
  app.removeAllContentTypeParsers();
  app.addHook('onRequest', async (request, reply) => {
    const sent = {
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-cache',
    };
    reply.headers(sent);
  });
  app.setErrorHandler((error, request, reply) => refuse(ports, error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const error = new ApiRefusal('SLUICE_API_REQUEST', 404, 'there is no such endpoint');
    return refuse(ports, error, request, reply);
  });
  const gate = new Gate(ports, limits);
  app.addHook('onSend', async (request, reply, payload) => {
    if (typeof payload === 'string') gate.send(request, reply, payload);
    return payload;
  });
  for (const name of Object.keys(operations) as OperationName[]) addOperation(app, gate, name);
  addOtherMethods(app);
  return app;
}

/** `X-Request-Id` of the request where it is a short plain word, else one of ours. */
function requestIdOf({ headers }: IncomingMessage): string {
  const { 'x-request-id': given } = headers;
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

interface Route {
  readonly gate: Gate;
  readonly name: Exclude<OperationName, 'document'>;
  readonly operation: Operation;
}

function addOperation(app: FastifyInstance, gate: Gate, name: OperationName): void {
  const operation: Operation = operations[name];
  const callers = new WeakMap<FastifyRequest, Caller>();
  app.register(async (scope) => {
    for (const type of Object.keys(operation.body?.content ?? {})) {
      const isType = new RegExp(`^${type.replaceAll(/[.+]/g, '\\$&')}\\s*(;|$)`, 'i');
      scope.addContentTypeParser(isType, { parseAs: 'string' }, async (_request: unknown, body: string | Buffer) =>
        readJson(String(body)),
      );
    }
    scope.addHook('onRequest', async (request, reply) => {
      gate.enter(request, reply, operation.isPublic ?? false);
      if (!operation.isPublic) callers.set(request, gate.identify(request));
    });
    scope.addHook('onResponse', async (_request, reply) => gate.ports.answered(name, reply.statusCode));
    const url = urlOf(operation.path);
    if (name === 'document') {
      const text = JSON.stringify(apiDocument());
      scope.get(url, (_request, reply) => reply.type('application/json; charset=utf-8').send(text));
      return;
    }
    const route = { gate, name, operation };
    const schema = { response: responseSchemas(operation) };
    scope.route({
      method: operation.method,
      url,
      schema,
      handler: (request, reply) => answerCall(route, callers.get(request) as Caller, request, reply),
    });
  });
}

/** As fastify writes parameters. */
const urlOf = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** One request of a caller, from the whole of it to the answer. */
async function answerCall(
  { gate, name, operation }: Route,
  { token, digest }: Caller,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { clients, clock, logger } = gate.ports;
  const { params, headers } = request;
  const startedMs = clock.now();
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort(invalid('the caller has left')));
  const facts = { requestId: request.id, caller: digest, operation: name, isWrite: operation.method !== 'get' };
  const tell = (rest: Pick<Audited, 'status' | 'refusal' | 'written'>) =>
    audit(logger, { ...facts, params: params as object, ...rest, tookMs: clock.now() - startedMs });
  try {
    const {
      status,
      tag,
      headers: more = {},
      body,
      written,
    } = await gate.call(() =>
      withDeadline(clock, gone.signal, DEADLINE_MS, (signal) =>
        handlers[name]({
          ...{ client: clients.withToken(token), params, query: readQuery(request.query), body: request.body, signal },
          ...{ ifMatch: headers['if-match'], ifNoneMatch: headers['if-none-match'] },
        }),
      ),
    );
    tell({ status, written });
    return reply
      .code(status)
      .headers({ etag: tag, ...more })
      .send(body);
  } catch (error) {
    const { status, form } = failureOf(error);
    tell({ status, refusal: { code: form.code, message: form.message } });
    throw error;
  }
}

/** A path that exists, by a method that it does not have. */
function addOtherMethods(app: FastifyInstance): void {
  const byPath = Map.groupBy(Object.values(operations), ({ path }) => path);
  for (const [path, known] of byPath) {
    const allowed = known.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
    const method = app.supportedMethods.filter((one) => !allowed.includes(one));
    const refuseMethod = async (_request: FastifyRequest, reply: FastifyReply) => {
      reply.header('allow', allowed.join(', '));
      throw new ApiRefusal('SLUICE_API_REQUEST', 405, `this path takes ${allowed.join(', ')}`);
    };
    app.route({ method, url: urlOf(path), onRequest: refuseMethod, handler: refuseMethod });
  }
}

/** One form for all that goes wrong. */
function refuse({ logger }: ApiPorts, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, form, headers, isBug } = failureOf(error);
  if (isBug) logger.error({ err: error, requestId: request.id }, 'a request over HTTP failed');
  return reply
    .code(status)
    .headers(headers)
    .send({ ...form, requestId: request.id });
}
