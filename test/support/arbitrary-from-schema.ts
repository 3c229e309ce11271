import fc from 'fast-check';
import { rootSchema } from '../../src/api/crd.ts';
import { DURATION_PATTERN } from '../../src/api/duration.ts';
import type { Resource } from '../../src/api/resource.ts';
import type { StructuralSchema } from '../../src/api/structural-schema.ts';
import { DEEP_CONDITIONS, flagRepairs, OPAQUE_SAMPLES, withKnownNames } from './flag-repairs.ts';
import type { Manifest } from './manifests.ts';

const DURATIONS = ['1s', '90s', '1h30m', '1.5h', '14d', '2m0.25s', '1d1ms', '365d'];

/** What escapes, encodings and lengths trip over. fast-check's own `binary` takes seconds to set up. */
const CHARACTER = fc.constantFrom(
  'a',
  'Z',
  '0',
  ' ',
  '"',
  "'",
  '\\',
  '{',
  '|',
  '\n',
  '\u0000',
  'é',
  '\u2028',
  '字',
  '😀',
);

/** Objects that the rules of CEL would refuse, made right; by the name of the field. */
const repairs: Record<string, (value: Manifest) => Manifest> = {
  steps: (steps) => withRisingWeights(steps.map(withOneKind)),
  guardrails: (guardrails) => guardrails.map(withMetric),
  stickiness: ({ unit, ...rest }) => ({ ...rest, ...(unit && { unit: unit.map(withOneSource) }) }),
  maxIncreaseOverStable: (increase) => ({ absolute: 1, ...increase }),
  failures: ({ count = 1 }) => ({ count, within: 20 }),
  auth: ({ bearerToken, basic }) => (bearerToken || !basic ? { bearerToken: { name: 'a', key: 'b' } } : { basic }),
  tls: ({ cert, key, ...rest }) => (cert && key ? { cert, key, ...rest } : rest),
  defaultBounds: ({ min: _, ...rest }) => rest,
  ...flagRepairs,
};

const withOneSource = ({ cookie, header = 'x-user-id' }: Manifest): Manifest =>
  cookie === undefined ? { header } : { cookie };

/** Valid specs of a resource. */
export function arbitrarySpecOf(resource: Resource): fc.Arbitrary<Manifest> {
  const specs = arbitraryOf(rootSchema(resource).properties!.spec!);
  return resource.kind === 'FeatureFlag' ? specs.map(withKnownNames) : specs;
}

/** Valid values of a schema, with optional fields there or not. */
export function arbitraryOf(schema: StructuralSchema, field = ''): fc.Arbitrary<Manifest> {
  const repair = repairs[field];
  const plain = plainArbitrary(schema);
  return repair ? plain.map(repair) : plain;
}

function plainArbitrary(schema: StructuralSchema): fc.Arbitrary<Manifest> {
  const bound = (name: string, otherwise: number) => (schema[name] as number | undefined) ?? otherwise;
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema['x-kubernetes-preserve-unknown-fields']) {
    return fc.constantFrom(...(schema.type === 'object' ? DEEP_CONDITIONS : OPAQUE_SAMPLES));
  }
  if (schema.additionalProperties) {
    const size = { minKeys: bound('minProperties', 0), maxKeys: 3 };
    return fc.dictionary(fc.constantFrom('on', 'off', 'A.b-c_1'), arbitraryOf(schema.additionalProperties), size);
  }
  switch (schema.type as NonNullable<StructuralSchema['type']>) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: bound('minimum', -(2 ** 31)), max: bound('maximum', 2 ** 31 - 1) });
    case 'number': {
      const cents = { min: bound('minimum', -1e6) * 100, max: bound('maximum', 1e6) * 100 };
      return fc.integer(cents).map((value) => value / 100);
    }
    case 'string':
      return text(schema, bound('minLength', 0), bound('maxLength', 100));
    case 'array':
      return list(schema, bound('minItems', 0), Math.min(3, bound('maxItems', 3)));
    case 'object':
      return object(schema);
  }
}

function text({ pattern, format }: StructuralSchema, minLength: number, maxLength: number): fc.Arbitrary<string> {
  if (pattern === DURATION_PATTERN.source) return fc.constantFrom(...DURATIONS);
  if (format === 'date-time') {
    const range = { min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true };
    return fc.date(range).map((date) => date.toISOString());
  }
  if (format === 'date') return fc.constantFrom('1999-12-31', '2024-02-29', '2027-03-01');
  if (pattern === undefined) return fc.string({ minLength, maxLength: Math.min(maxLength, 20), unit: CHARACTER });
  return fc.stringMatching(new RegExp(pattern as string), { maxLength: Math.min(maxLength, 40) });
}

function list(schema: StructuralSchema, minLength: number, maxLength: number): fc.Arbitrary<Manifest[]> {
  const item = arbitraryOf(schema.items as StructuralSchema);
  const [key] = (schema['x-kubernetes-list-map-keys'] as string[] | undefined) ?? [];
  if (key !== undefined) return fc.uniqueArray(item, { minLength, maxLength, selector: (entry) => entry[key] });
  if (schema['x-kubernetes-list-type'] === 'set') return fc.uniqueArray(item, { minLength, maxLength });
  return fc.array(item, { minLength, maxLength });
}

function object({ properties = {}, required = [] }: StructuralSchema): fc.Arbitrary<Manifest> {
  const fields = Object.entries(properties).map(([name, field]) => [name, arbitraryOf(field, name)] as const);
  return fc.record(Object.fromEntries(fields), { requiredKeys: required, noNullPrototype: true });
}

function withOneKind({ shadow, match, weight, approve, hold }: Manifest): Manifest {
  if (approve) return { approve };
  if (match) return { match, hold };
  return shadow ? { shadow, hold } : { weight: weight ?? 5, ...(hold && { hold }) };
}

function withRisingWeights(steps: Manifest[]): Manifest[] {
  const weights = steps.flatMap(({ weight }) => weight ?? []).sort((a, b) => a - b);
  return steps.map((step) => (step.weight === undefined ? step : { ...step, weight: weights.shift() }));
}

function withMetric({ query, min: _, max, ...rest }: Manifest): Manifest {
  if ('verdict' in rest) return { ...rest, ...(max !== undefined && { max }) };
  return query && max !== undefined ? { ...rest, query, max, metric: undefined } : { ...rest, metric: 'm' };
}
