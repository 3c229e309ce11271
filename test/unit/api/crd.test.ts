import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { generatedFiles } from '../../../hack/generated-files.ts';
import { rootSchema } from '../../../src/api/crd.ts';
import { namedMap } from '../../../src/api/named-map.ts';
import { opaque } from '../../../src/api/opaque.ts';
import { featureFlagResource, metricResource, rolloutResource } from '../../../src/api/resource.ts';
import { type StructuralSchema, structuralSchema } from '../../../src/api/structural-schema.ts';
import { arbitrarySpecOf } from '../../support/arbitrary-from-schema.ts';
import type { Manifest } from '../../support/manifests.ts';

const resources = [rolloutResource, metricResource, featureFlagResource].map(
  (resource) => [resource.kind, resource] as const,
);

test.each([...generatedFiles()])('%s is what the schemas say; if not, run npm run gen', (path, text) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test.each([...generatedFiles()].filter(([path]) => path.startsWith('crds/')))(
  '%s is smaller than 100 KB',
  (_, text) => {
    expect(Buffer.byteLength(text)).toBeLessThan(100_000);
  },
);

test.each(resources)('every field of a %s has a description', (_, resource) => {
  const fields = fieldsOf(rootSchema(resource), '').filter(([path]) => path !== '.metadata');
  expect(fields.length).toBeGreaterThan(20);
  expect(fields.filter(([, { description }]) => !description).map(([path]) => path)).toEqual([]);
});

test.each(resources)('defaults of the definition of a %s are those of zod', (_, resource) => {
  const schema = rootSchema(resource).properties!.spec!;
  const { spec } = resource.object.shape;
  fc.assert(
    fc.property(arbitrarySpecOf(resource), (bare) => {
      const before = z.parse(spec, bare);
      const filled = withDefaults(schema, bare);
      expect(z.parse(spec, filled)).toEqual(before);
      // Nothing is left for zod to fill in: what the server stores is what we read.
      expect(shapeOf(filled)).toEqual(shapeOf(z.encode(spec, before)));
    }),
  );
});

test('every text and list in a definition is bounded, so that the API server can bound the cost of its rules', () => {
  for (const [, resource] of resources) {
    for (const [path, field] of fieldsOf(rootSchema(resource).properties!.spec!, 'spec')) {
      if (field.type === 'string') expect(field.enum ?? field.maxLength ?? field.format, path).toBeDefined();
      if (field.type === 'array') expect(field.maxItems, path).toBeDefined();
      if (field.additionalProperties) expect(field.maxProperties, path).toBeDefined();
    }
  }
});

test('a field without a description is an error that names it', () => {
  const schema = z.strictObject({ a: z.strictObject({ b: z.string() }).describe('A.') });
  expect(() => structuralSchema(schema, 'spec')).toThrow('spec.a.b: has no description');
});

test.each([
  ['a union', z.union([z.string(), z.number()])],
  ['anything', z.any()],
])('%s has no structural schema', (_, field) => {
  expect(() => structuralSchema(z.strictObject({ field: field.describe('Field.') }), 'spec')).toThrow('spec.field');
});

test('a map has a schema for its values, and what is opaque has none', () => {
  const schema = z.strictObject({
    map: namedMap(z.boolean().describe('On.'), { least: 1, most: 3 }, 'Map.'),
    any: opaque(z.json(), 'Any.'),
  });
  expect(structuralSchema(schema, 'spec').properties).toEqual({
    map: {
      type: 'object',
      description: 'Map.',
      minProperties: 1,
      maxProperties: 3,
      additionalProperties: { type: 'boolean', description: 'On.' },
    },
    any: { description: 'Any.', 'x-kubernetes-preserve-unknown-fields': true },
  });
});

test('integers are int64, literals are enums and lists say how they merge', () => {
  const schema = z.strictObject({
    count: z.int().describe('Count.'),
    kind: z.literal('A').describe('Kind.'),
    list: z.array(z.string()).describe('List.'),
  });
  expect(structuralSchema(schema, 'spec').properties).toEqual({
    count: { type: 'integer', format: 'int64', description: 'Count.' },
    kind: { type: 'string', enum: ['A'], description: 'Kind.' },
    list: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'atomic', description: 'List.' },
  });
});

function fieldsOf(schema: StructuralSchema, path: string): [string, StructuralSchema][] {
  const inner = schema.items
    ? fieldsOf(schema.items, `${path}[]`)
    : schema.additionalProperties
      ? fieldsOf(schema.additionalProperties, `${path}.*`)
      : [];
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    [`${path}.${name}`, field] as [string, StructuralSchema],
    ...fieldsOf(field, `${path}.${name}`),
  ]);
  return [...inner, ...properties];
}

/** What the API server stores: defaults filled in, from the outside inwards. */
function withDefaults({ items, additionalProperties, properties }: StructuralSchema, value: Manifest): Manifest {
  if (items) return value.map((entry: Manifest) => withDefaults(items, entry));
  if (additionalProperties) {
    const entries = Object.entries(value as Manifest);
    return Object.fromEntries(entries.map(([name, entry]) => [name, withDefaults(additionalProperties, entry)]));
  }
  if (!properties) return value;
  const filled: Manifest = {};
  for (const [name, field] of Object.entries(properties)) {
    const given = value[name] ?? field.default;
    if (given !== undefined) filled[name] = withDefaults(field, given);
  }
  return filled;
}

function shapeOf(value: Manifest): Manifest {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries.map(([name, field]) => [name, shapeOf(field)]));
}
