import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { exposureReportsSchema } from '../wire/exposure.ts';
import { metricReportsSchema } from '../wire/metric-event.ts';
import { type Operation, openApiOf, type Parameter, type Response } from '../wire/openapi.ts';
import { sealedRulesetSchema } from '../wire/sealed-ruleset.ts';
import {
  batchForm,
  batchRequestForm,
  bulkForm,
  ofrepRequestForm,
  refusalForm,
  singleForm,
  takenForm,
} from './http-forms.ts';
import { EVENTS } from './ofrep.ts';
import { askedKey, OFREP_FLAGS } from './refusal.ts';

const PATH = '/openapi.json';
const JSON_TYPE = 'application/json';
const text = z.string();

const refused = (description: string): Response => ({ description, content: { [JSON_TYPE]: refusalForm } });
const answered = (description: string, schema: z.ZodType, headers?: Response['headers']): Response => ({
  description,
  content: { [JSON_TYPE]: schema },
  ...(headers && { headers }),
});
const etag = { etag: { description: 'Changes with what is answered.', schema: text } };
const unchanged: Response = { description: 'Nothing is new since.', headers: etag };
const overloaded: Response = {
  ...refused('Too much is under way.'),
  headers: { 'retry-after': { description: 'Seconds to wait.', schema: text } },
};
const notReady = refused('There is no ruleset yet; or a bug.');
const ifNoneMatch: Parameter = {
  in: 'header',
  name: 'If-None-Match',
  description: 'ETags that the caller has: 304 when one of them still holds.',
  schema: text,
};
const jsonBody = (schema: z.ZodType, required: boolean) => ({ required, content: { [JSON_TYPE]: schema } });

const ofrep: Operation['responses'] = {
  400: refused('The body is no JSON, too large, or of another type; or a unit is missing.'),
  429: overloaded,
  500: notReady,
};

const evaluateFlag: Operation = {
  method: 'post',
  path: `${OFREP_FLAGS}/{key}`,
  id: 'evaluateFlag',
  summary: 'One flag (OFREP 0.3)',
  parameters: [
    {
      in: 'path',
      name: 'key',
      description: 'Key of the flag; slashes as they are or encoded.',
      schema: text.min(1).max(1_024),
    },
    {
      in: 'header',
      name: 'Sluice-Exposure',
      description: '`none`: nothing is shown to anybody, so no exposure is logged.',
      schema: text,
    },
  ],
  body: jsonBody(ofrepRequestForm.nullable(), false),
  responses: { 200: answered('The answer.', singleForm), ...ofrep, 404: refused('There is no such flag.') },
};

const evaluateFlags: Operation = {
  method: 'post',
  path: OFREP_FLAGS,
  id: 'evaluateFlags',
  summary: 'All flags (OFREP 0.3)',
  parameters: [
    ifNoneMatch,
    {
      in: 'query',
      name: 'flagConfigEtag',
      description: 'What the event stream told: answers of another configuration are not taken for fresh.',
      schema: text,
    },
  ],
  body: jsonBody(ofrepRequestForm.nullable(), false),
  responses: { 200: answered('The answers.', bulkForm), 304: unchanged, ...ofrep },
};

const listen: Operation = {
  method: 'get',
  path: EVENTS,
  id: 'listen',
  summary: 'When to ask again (OFREP 0.3)',
  description:
    'Server-sent events `refetchEvaluation`: at a new revision, whenever a time in a rule comes, and at first, unless Last-Event-ID is that of what answers now. Never ends.',
  responses: {
    200: { description: 'A stream.', content: { 'text/event-stream': text } },
    429: overloaded,
  },
};

const evaluateBatch: Operation = {
  method: 'post',
  path: '/evaluate',
  id: 'evaluateBatch',
  summary: 'Many flags at once',
  body: jsonBody(batchRequestForm.nullable(), false),
  responses: {
    200: answered('The answers.', batchForm),
    400: refused('The body does not fit.'),
    413: refused(`The body is larger than 1 MiB, or there are too many keys.`),
    415: refused('The content type is not application/json.'),
    429: overloaded,
    500: notReady,
  },
};

const configBundle: Operation = {
  method: 'get',
  path: '/config-bundle',
  id: 'configBundle',
  summary: 'The ruleset, for evaluation in the application',
  parameters: [ifNoneMatch],
  responses: {
    200: answered('The ruleset with its digest and signature.', sealedRulesetSchema, etag),
    304: unchanged,
    429: overloaded,
    500: notReady,
  },
};

const eventOperation = (path: string, id: string, summary: string, schema: z.ZodType): Operation => ({
  method: 'post',
  path,
  id,
  summary,
  description: 'Items are judged one by one: what is wrong with one is in `errors`, and keeps no other back.',
  body: jsonBody(schema, true),
  responses: {
    202: answered('Taken.', takenForm),
    400: refused('The body is no batch, or has too many items.'),
    413: refused('The body is larger than 1 MiB.'),
    415: refused('The content type is not application/json.'),
    429: overloaded,
    500: refused('A bug.'),
    503: { ...overloaded, description: 'The disk is full or slow, or there is no ruleset yet: send the same again.' },
  },
});

const document: Operation = {
  method: 'get',
  path: PATH,
  id: 'document',
  summary: 'This document',
  responses: { 200: answered('OpenAPI 3.1.', z.looseObject({ openapi: text })), 429: overloaded },
};

const always = [evaluateFlag, evaluateFlags, listen, evaluateBatch, configBundle, document];
const ofEvents = [
  eventOperation('/exposures', 'reportExposures', 'What was shown', exposureReportsSchema),
  eventOperation('/metrics', 'reportMetrics', 'What happened to units', metricReportsSchema),
];

const DESCRIPTION = `Evaluates feature flags for applications beside it, from memory.

Bodies are at most 1 MiB and 64 levels deep. A request has 10 s to arrive, 1 s to be answered, and 30 s in all until the
answer is read. At most 2,000 requests and 16 MiB of bodies are under way at a time, and 1,000 event streams; what does not fit is refused
with 429 at once.`;

/** The OpenAPI document of an evaluator; of one that takes events where `hasEvents`. */
export const evaluatorDocument = (hasEvents: boolean) =>
  openApiOf({
    title: 'Sluice evaluator',
    version: 'v1',
    description: DESCRIPTION,
    operations: operationsOf(hasEvents),
    hasTokens: false,
  });

const operationsOf = (hasEvents: boolean): Operation[] => [...always, ...(hasEvents ? ofEvents : [])];

/** `GET /openapi.json`, and 405 for methods that a path of the document does not have. Call it when all others are registered. */
export function registerDocument(app: FastifyInstance, hasEvents: boolean): void {
  let made: string | undefined;
  app.get(PATH, (_request, reply) => {
    // When it is first asked for: most evaluators never are.
    made ??= JSON.stringify(evaluatorDocument(hasEvents));
    return reply.header('content-type', 'application/json; charset=utf-8').send(made);
  });
  for (const { path, method } of operationsOf(hasEvents)) {
    const allowed = method === 'get' && path !== EVENTS ? ['GET', 'HEAD'] : [method.toUpperCase()];
    const others = app.supportedMethods.filter((one) => !allowed.includes(one));
    const refuse = async (request: FastifyRequest, reply: FastifyReply) =>
      refuseMethod(request, reply, allowed.join(', '));
    app.route({ method: others, url: path.replace('{key}', '*'), onRequest: refuse, handler: refuse });
  }
}

/** Not as other refusals: who asks so is no client of OFREP, which would not understand the status. */
function refuseMethod(request: FastifyRequest, reply: FastifyReply, allowed: string): FastifyReply {
  const key = askedKey(request);
  const errorDetails = `this path takes ${allowed}`;
  const refusal = {
    ...(key !== undefined && { key }),
    errorCode: 'GENERAL',
    errorDetails,
    code: 'SLUICE_REQUEST_INVALID',
  };
  return reply
    .code(405)
    .headers({ allow: allowed, 'content-type': 'application/json; charset=utf-8' })
    .send(JSON.stringify(refusal));
}
