import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { evaluate } from '../core/evaluation/evaluate.ts';
import type { Context } from '../core/evaluation/truth.ts';
import { configTag } from '../rulesets/holder.ts';
import { itemOf } from './answer-item.ts';
import { AnswerTexts, asciiJson } from './answer-texts.ts';
import { answersTag, isMatch } from './entity-tag.ts';
import { evaluateAll, heldBy } from './evaluate-all.ts';
import { isObject, objectBody } from './json-body.ts';
import type { AnswerPorts } from './ports.ts';
import { askedKey, invalid, OFREP_FLAGS, overloaded } from './refusal.ts';

export const EVENTS = '/ofrep/v1/events';
const JSON_TYPE = 'application/json; charset=utf-8';

const STATUS = { FLAG_NOT_FOUND: 404, TARGETING_KEY_MISSING: 400, GENERAL: 400 } as const;

/** Whether an address, with its query, is the event stream's. */
export const isEvents = (url: string): boolean => url === EVENTS || url.startsWith(`${EVENTS}?`);

/**
 * OFREP 0.3: single and bulk evaluation, and the stream that tells when to fetch again. `eventsFor`: the stream's address for
 * who makes this request.
 */
export function registerOfrep(
  app: FastifyInstance,
  ports: AnswerPorts,
  eventsFor: (request: FastifyRequest) => string,
): void {
  const bulk = { ...ports, texts: new AnswerTexts() };
  app.post(OFREP_FLAGS, (request, reply) => answerAll(bulk, request, reply, eventsFor(request)));
  // A wildcard, because old clients send a key with slashes as it is, and new ones encode them.
  app.post(`${OFREP_FLAGS}/*`, (request, reply) => answerOne(ports, request, reply));
  // A stream has no head to ask for by itself.
  app.get(EVENTS, { exposeHeadRoute: false }, (request, reply) => streamEvents(ports, request, reply));
}

function answerOne(ports: AnswerPorts, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const held = heldBy(ports);
  const key = askedKey(request) ?? '';
  const answer = evaluate(held.compiled, key, contextOf(request.body), ports.clock.now());
  ports.counts.count(key, answer);
  ports.tracing?.evaluated(request, key, answer);
  if (answer.kind === 'Failed') reply.code(STATUS[answer.errorCode]);
  else if (answer.kind === 'Served' && answer.assignment && request.headers['sluice-exposure'] !== 'none') {
    ports.events?.exposed(key, answer.assignment, held);
  }
  return reply.header('content-type', JSON_TYPE).send(JSON.stringify(itemOf(key, answer, ports.holder.stale)));
}

function answerAll(
  ports: AnswerPorts & { readonly texts: AnswerTexts },
  request: FastifyRequest,
  reply: FastifyReply,
  requestUri: string,
): FastifyReply {
  const held = heldBy(ports);
  const { stale } = ports.holder;
  const context = contextOf(request.body);
  const nowMs = ports.clock.now();
  const config = configTag(held, nowMs);
  const tag = answersTag(config, stale, context);
  if (tag !== undefined) reply.header('etag', tag);
  if (tag !== undefined && isFresh(request, config, tag)) return reply.code(304).send();
  ports.tracing?.answeredBy(request, held.compiled);
  const { flags, flagSetId, revision } = held.compiled;
  const items = evaluateAll(ports, held, ports.texts, { keys: flags.keys(), context, nowMs });
  const metadata = { flagSetId, version: String(revision), ...(stale && { stale }) };
  // `requestUri` rather than `url`: it holds behind a port-forward or a proxy as well.
  const eventStreams = [{ type: 'sse', endpoint: { requestUri } }];
  const about = asciiJson({ metadata, eventStreams }).slice(1);
  return reply.header('content-type', JSON_TYPE).send(`{"flags":${items},${about}`);
}

/** A client that was told of another configuration than ours must get ours, whatever tag it holds (ADR-0008). */
function isFresh(request: FastifyRequest, config: string, tag: string): boolean {
  const { flagConfigEtag } = request.query as { flagConfigEtag?: unknown };
  if (flagConfigEtag !== undefined && flagConfigEtag !== config) return false;
  return isMatch(request.headers['if-none-match'], tag);
}

function streamEvents({ holder, clock, streams }: AnswerPorts, request: FastifyRequest, reply: FastifyReply): void {
  if (streams.isFull) throw overloaded('there are too many event streams');
  const now = clock.now();
  const tag = holder.current && configTag(holder.current, now);
  const seen = request.headers['last-event-id'];
  // Headers of hooks are lost with the reply.
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  reply.hijack();
  // Who says nothing may have fetched before the last change; who has it all is answered by a 304.
  const isBehind = tag !== undefined && seen !== tag;
  streams.add(reply.raw, isBehind ? { tag, atSeconds: Math.floor(now / 1000) } : undefined);
}

/** The evaluation context; none is an empty one, so that flags that draw for nobody can be asked by hand. */
function contextOf(body: unknown): Context {
  const { context } = objectBody(body);
  if (context === undefined || context === null) return {};
  if (!isObject(context)) throw invalid('context must be an object', 'INVALID_CONTEXT');
  return context;
}
