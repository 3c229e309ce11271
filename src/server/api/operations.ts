import { z } from 'zod';
import { type Operation, openApiOf, type Parameter, type Response } from '../../wire/openapi.ts';
import {
  changeForm,
  creationForm,
  failureForm,
  flagForm,
  flagKey,
  flagListForm,
  from,
  historyForm,
  limit,
  namespaceName,
  rollbackForm,
} from './forms.ts';

const MERGE_PATCH = 'application/merge-patch+json';
const JSON_TYPE = 'application/json';
const FLAGS = '/api/v1/namespaces/{namespace}/flags';

const text = z.string();
const inPath = (name: string, schema: z.ZodType): Parameter => ({
  in: 'path',
  name,
  description: z.globalRegistry.get(schema)?.description ?? '',
  schema,
});
const namespace = inPath('namespace', namespaceName);
const key: Parameter = { ...inPath('key', flagKey), description: 'Key of the flag, percent-encoded (`/` is `%2F`).' };
const paging: readonly Parameter[] = [
  { in: 'query', name: 'limit', description: 'Flags at most.', schema: limit },
  { in: 'query', name: 'continue', description: 'Where to go on.', schema: from },
];
const ifNoneMatch: Parameter = {
  in: 'header',
  name: 'If-None-Match',
  description: 'ETags that the caller has: 304 when one of them still holds.',
  schema: text,
};
const ifMatch: Parameter = {
  in: 'header',
  name: 'If-Match',
  description: 'ETags of which one must be the flag’s: 412 otherwise. Without it, what is there now is changed.',
  schema: text,
};

const etag = { etag: { description: 'Version of what is answered.', schema: text } };
const retryAfter = { 'retry-after': { description: 'Seconds to wait.', schema: z.string().regex(/^\d+$/) } };
const failed = (description: string, headers?: Response['headers']): Response => ({
  description,
  content: { [JSON_TYPE]: failureForm },
  ...(headers && { headers }),
});
const unchanged: Response = { description: 'Nothing is new since.', headers: etag };
const answer = (description: string, schema: z.ZodType, headers: Response['headers'] = etag): Response => ({
  description,
  content: { [JSON_TYPE]: schema },
  headers,
});

/** What anything may be answered by. */
const common: Operation['responses'] = {
  400: failed('The request does not fit: path, query, or a body that is no JSON.'),
  401: failed('There is no token, or the API server does not accept it.', {
    'www-authenticate': { description: 'Bearer.', schema: text },
  }),
  403: failed('The API server: the caller may not do this.'),
  404: failed('There is no such flag, or no such namespace.'),
  429: failed('Too many requests, of this caller or of all.', retryAfter),
  500: failed('A bug.'),
  502: failed('The API server failed, or did not answer.'),
  503: failed('The API server is not there for us now.', retryAfter),
  504: failed('The API server was too slow.'),
};
const ofBodies: Operation['responses'] = {
  409: failed('The API server: the name is taken, or another writer was faster.'),
  413: failed('The body is larger than 1 MiB.'),
  415: failed('The body is of another content type.'),
  422: failed('The body, or the flag that it would make, is not valid.'),
};
const bound: Operation['responses'] = { 412: failed('The flag is not the one that If-Match names.') };

const listed: Operation['responses'] = {
  200: answer('A page of flags.', flagListForm),
  304: unchanged,
  ...common,
  410: failed('`continue` is too old: begin anew.'),
};

export const operations = {
  listAllFlags: {
    method: 'get',
    path: '/api/v1/flags',
    id: 'listAllFlags',
    summary: 'Flags of all namespaces, page by page',
    parameters: [...paging, ifNoneMatch],
    responses: listed,
  },
  listFlags: {
    method: 'get',
    path: FLAGS,
    id: 'listFlags',
    summary: 'Flags of a namespace, page by page',
    parameters: [namespace, ...paging, ifNoneMatch],
    responses: listed,
  },
  createFlag: {
    method: 'post',
    path: FLAGS,
    id: 'createFlag',
    summary: 'Make a flag',
    parameters: [namespace],
    body: { required: true, content: { [JSON_TYPE]: creationForm } },
    responses: {
      201: answer('The flag that was made.', flagForm, {
        ...etag,
        location: { description: 'Path of the flag.', schema: text },
      }),
      ...common,
      ...ofBodies,
    },
  },
  getFlag: {
    method: 'get',
    path: `${FLAGS}/{key}`,
    id: 'getFlag',
    summary: 'One flag',
    parameters: [namespace, key, ifNoneMatch],
    responses: { 200: answer('The flag.', flagForm), 304: unchanged, ...common },
  },
  changeFlag: {
    method: 'patch',
    path: `${FLAGS}/{key}`,
    id: 'changeFlag',
    summary: 'Change a flag',
    parameters: [namespace, key, ifMatch],
    body: { required: true, content: { [MERGE_PATCH]: changeForm } },
    responses: { 200: answer('The flag as it is now.', flagForm), ...common, ...ofBodies, ...bound },
  },
  flagHistory: {
    method: 'get',
    path: `${FLAGS}/{key}/history`,
    id: 'flagHistory',
    summary: 'Revisions of a flag',
    parameters: [namespace, key, ifNoneMatch],
    responses: { 200: answer('The revisions that are kept.', historyForm), 304: unchanged, ...common },
  },
  rollBackFlag: {
    method: 'post',
    path: `${FLAGS}/{key}/rollback`,
    id: 'rollBackFlag',
    summary: 'Go back to a former revision',
    parameters: [namespace, key, ifMatch],
    body: { required: false, content: { [JSON_TYPE]: rollbackForm } },
    responses: { 200: answer('The flag as it is now.', flagForm), ...common, ...ofBodies, ...bound },
  },
  document: {
    method: 'get',
    path: '/api/v1/openapi.json',
    id: 'document',
    summary: 'This document',
    isPublic: true,
    responses: {
      200: { description: 'OpenAPI 3.1.', content: { [JSON_TYPE]: z.looseObject({ openapi: text }) } },
      429: common[429] as Response,
    },
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;

const DESCRIPTION = `Feature flags over HTTP: a face of the Kubernetes API server, with no rights of its own. Every request carries a
token of the caller, and the API server decides what the caller may do; what it refuses is passed on.

Bodies are at most 1 MiB, a flag at most 256 KiB, nested at most 64 levels deep.`;

/** The OpenAPI document of this interface. */
export const apiDocument = () =>
  openApiOf({
    title: 'Sluice',
    version: 'v1',
    description: DESCRIPTION,
    operations: Object.values(operations),
    hasTokens: true,
  });
