import { Client, credentials } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { onTestFinished } from 'vitest';

const { Field, MapField, Root, Type } = protobuf;

/** The messages of Envoy's ext_authz as far as they matter here, in a library of others: what ours reads and writes is held to it. */
function messages() {
  const header = new Type('HeaderValue').add(new Field('key', 1, 'string')).add(new Field('value', 2, 'string'));
  const bool = new Type('BoolValue').add(new Field('value', 1, 'bool'));
  const option = new Type('HeaderValueOption')
    .add(new Field('header', 1, 'HeaderValue'))
    .add(new Field('append', 2, 'BoolValue'))
    .add(new Field('appendAction', 3, 'int32'));
  const ok = new Type('OkHttpResponse')
    .add(new Field('headers', 2, 'HeaderValueOption', 'repeated'))
    .add(new Field('headersToRemove', 5, 'string', 'repeated'))
    .add(new Field('responseHeadersToAdd', 6, 'HeaderValueOption', 'repeated'));
  const status = new Type('Status').add(new Field('code', 1, 'int32')).add(new Field('message', 2, 'string'));
  const response = new Type('CheckResponse')
    .add(new Field('status', 1, 'Status'))
    .add(new Field('deniedResponse', 2, 'bytes'))
    .add(new Field('okResponse', 3, 'OkHttpResponse'));
  const http = new Type('HttpRequest')
    .add(new Field('id', 1, 'string'))
    .add(new Field('method', 2, 'string'))
    .add(new MapField('headers', 3, 'string', 'string'))
    .add(new Field('path', 4, 'string'))
    .add(new Field('size', 9, 'int64'));
  const request = new Type('Request').add(new Field('http', 2, 'HttpRequest'));
  const attributes = new Type('AttributeContext')
    .add(new Field('source', 1, 'bytes'))
    .add(new Field('request', 4, 'Request'))
    .add(new MapField('contextExtensions', 10, 'string', 'string'));
  const check = new Type('CheckRequest').add(new Field('attributes', 1, 'AttributeContext'));
  const all = [header, bool, option, ok, status, response, http, request, attributes, check];
  const root = new Root();
  for (const type of all) root.add(type);
  return { CheckRequest: root.lookupType('CheckRequest'), CheckResponse: root.lookupType('CheckResponse') };
}

const { CheckRequest, CheckResponse } = messages();

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly extensions?: Readonly<Record<string, string>>;
}

/** A check as Envoy sends it, with much that nobody reads. */
export function encodeCheck({ headers = {}, extensions = {} }: Asked): Buffer {
  const http = { id: '1', method: 'GET', path: '/', size: -1, headers };
  const attributes = { source: Buffer.from('\n\x0bsomething'), request: { http }, contextExtensions: extensions };
  return Buffer.from(CheckRequest.encode(CheckRequest.fromObject({ attributes })).finish());
}

export interface Told {
  /** 0 is OK. */
  readonly status: number;
  /** Headers of the request that are overwritten. */
  readonly set: Readonly<Record<string, string>>;
  readonly removed: readonly string[];
  /** Headers that are added to the answer. */
  readonly added: readonly (readonly [name: string, value: string])[];
}

export function decodeAnswer(bytes: Buffer): Told {
  const { status, okResponse, deniedResponse } = CheckResponse.toObject(CheckResponse.decode(bytes), {
    defaults: true,
    arrays: true,
  });
  if (deniedResponse.length > 0 || !okResponse) throw new Error('the request was denied');
  const pairs = (list: { header: { key: string; value: string } }[]) =>
    list.map(({ header: { key, value } }): [string, string] => [key, value]);
  const overwrites = okResponse.headers.every((one: { append?: { value: boolean } }) => one.append?.value === false);
  if (!overwrites) throw new Error('a header of the request would be appended to what the client sent');
  return {
    status: status?.code ?? -1,
    set: Object.fromEntries(pairs(okResponse.headers)),
    removed: okResponse.headersToRemove,
    added: pairs(okResponse.responseHeadersToAdd),
  };
}

export interface CheckClient {
  check(asked: Asked): Promise<Told>;
  /** Bytes as they are, in a well-formed call. */
  send(message: Buffer): Promise<Told>;
  close(): void;
}

const asTheyAre = (bytes: Buffer) => bytes;

/** A gRPC client that is not Envoy. */
export function checkClient(port: number): CheckClient {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const close = () => client.close();
  onTestFinished(close);
  const send = (message: Buffer) =>
    new Promise<Told>((resolve, reject) => {
      const path = '/envoy.service.auth.v3.Authorization/Check';
      client.makeUnaryRequest<Buffer, Buffer>(
        path,
        asTheyAre,
        asTheyAre,
        message,
        { deadline: Date.now() + 30_000 },
        (error, answer) => {
          if (error) reject(error);
          else resolve(decodeAnswer(answer as Buffer));
        },
      );
    });
  return { send, close, check: (asked) => send(encodeCheck(asked)) };
}
