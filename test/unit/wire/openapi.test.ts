import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { evaluatorDocument } from '../../../src/evaluator/http-document.ts';
import { apiDocument } from '../../../src/server/api/operations.ts';
import { openApiOf } from '../../../src/wire/openapi.ts';
import type { Manifest } from '../../support/manifests.ts';

const documents: [string, Manifest][] = [
  ['the HTTP API', apiDocument()],
  ['an evaluator', evaluatorDocument(true)],
];

function* nodesIn(node: unknown): Generator<Manifest> {
  if (typeof node !== 'object' || node === null) return;
  yield node as Manifest;
  for (const inner of Object.values(node)) yield* nodesIn(inner);
}

test.each(documents)(
  'in the document of %s every reference leads somewhere and every schema compiles',
  (_of, document) => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'document', ...document });
    const refs = [...nodesIn(document)].flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : []));
    expect(refs.length).toBeGreaterThan(5);
    for (const ref of refs) expect(() => ajv.compile({ $ref: `document${ref}` }), ref).not.toThrow();
  },
);

test.each(documents)(
  'in the document of %s operations have ids of their own, and paths declare their parameters',
  (_of, document) => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods as Manifest).map((operation): [string, Manifest] => [path, operation]),
    );
    const ids = operations.map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [path, { parameters = [] }] of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = parameters.filter((one: Manifest) => one.in === 'path').map(({ name }: Manifest) => name);
      expect(declared, path).toEqual(named);
    }
  },
);

test('what is only for the API server, or says nothing, is left out; ids become components', () => {
  const pair = z.tuple([z.boolean(), z.boolean()]);
  const inner = z
    .object({ minimum: z.int(), pair, mixed: z.tuple([z.string(), z.boolean()]), at: z.iso.datetime({ offset: true }) })
    .meta({ id: 'Inner' });
  const schema = z.array(inner).meta({ 'x-kubernetes-list-type': 'set' });
  const responses = { 200: { description: 'ok', content: { 'application/json': schema } } };
  const operations = [{ method: 'get', path: '/', id: 'x', summary: 'x', responses } as const];
  const { components, paths, security } = openApiOf({
    title: 't',
    version: 'v',
    description: 'd',
    operations,
    hasTokens: false,
  }) as Manifest;
  expect(security).toBeUndefined();
  expect(paths['/'].get.responses[200].content['application/json'].schema).toEqual({
    type: 'array',
    items: { $ref: '#/components/schemas/Inner' },
  });
  expect(components.schemas.Inner.properties).toEqual({
    minimum: { type: 'integer' },
    pair: { type: 'array', items: { type: 'boolean' }, minItems: 2, maxItems: 2 },
    mixed: expect.objectContaining({ prefixItems: [{ type: 'string' }, { type: 'boolean' }] }),
    at: { type: 'string', format: 'date-time' },
  });
});
