import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { parse } from 'yaml';

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document is walked by paths
type Document = any;

/** The document as it is published. */
export const published: Document = parse(readFileSync('test/conformance/ofrep/openapi.yaml', 'utf8'));

/** The document as it is meant: test/conformance/ofrep/README.md says what is read otherwise, and why. */
function meant(): Document {
  const document = structuredClone(published);
  const { schemas } = document.components;
  const [parts, value] = schemas.evaluationSuccess.allOf;
  parts.properties.reason.enum.push('DEFAULT');
  value.anyOf = value.oneOf;
  delete value.oneOf;
  return document;
}

export function validatorOf(document: Document) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, 'ofrep');
  return (path: string, status: number, body: unknown): string[] => {
    const response = document.paths[path].post.responses[String(status)];
    if (!response) return [`${path} has no answer ${status}`];
    if (!response.content) return body === undefined || body === '' || status === 429 ? [] : ['has a body'];
    const pointer = [path, 'post', 'responses', String(status), 'content', 'application/json', 'schema']
      .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const validate = ajv.getSchema(`ofrep#/paths/${pointer}`);
    if (!validate) throw new Error(`no schema for ${path} ${status}`);
    if (validate(body)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

const problems = validatorOf(meant());

export interface OfrepAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly body: any;
}

/** Asserts that an answer is one that OFREP's document has, and what its clients need beyond that. */
export function expectOfrep(path: string, { status, headers, body }: OfrepAnswer): void {
  const isSingle = path.split('?')[0] !== '/ofrep/v1/evaluate/flags';
  const operation = isSingle ? '/ofrep/v1/evaluate/flags/{key}' : '/ofrep/v1/evaluate/flags';
  expect(problems(operation, status, body)).toEqual([]);
  if (status === 304) return;
  expect(headers['content-type']).toMatch(/^application\/json/);
  if (status === 200) return;
  expect(body.errorCode).toEqual(expect.any(String));
  if (isSingle) expect(body.key).toEqual(expect.any(String));
  if (status === 429) expect(headers['retry-after']).toMatch(/^\d+$/);
}
