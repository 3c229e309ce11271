import { z } from 'zod';

/** A schema; of what is sent, so fields that have a default may be left out. */
type Schema = z.ZodType;

export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
}

export interface ResponseHeader {
  readonly description: string;
  readonly schema: Schema;
}

export interface Response {
  readonly description: string;
  /** By media type. */
  readonly content?: Readonly<Record<string, Schema>>;
  readonly headers?: Readonly<Record<string, ResponseHeader>>;
}

/** One method of one path, as the document has it. */
export interface Operation {
  readonly method: 'get' | 'post' | 'patch';
  /** With parameters in braces. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly body?: { readonly required: boolean; readonly content: Readonly<Record<string, Schema>> };
  /** By status. */
  readonly responses: Readonly<Record<number, Response>>;
  /** Open to everybody, where the rest asks for a token. */
  readonly isPublic?: boolean;
}

export interface Interface {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  readonly operations: readonly Operation[];
  /** Callers show a bearer token. */
  readonly hasTokens: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 document of an HTTP interface. Schemas that have an `id` in their metadata become components. */
export function openApiOf({ title, version, description, operations, hasTokens }: Interface): Json {
  const components = new Map<string, unknown>();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const methods = paths[operation.path] ?? {};
    methods[operation.method] = operationOf(operation, components);
    paths[operation.path] = methods;
  }
  const schemas = Object.fromEntries([...components].sort(([one], [other]) => (one < other ? -1 : 1)));
  const securitySchemes = { token: { type: 'http', scheme: 'bearer' } };
  return {
    openapi: '3.1.0',
    info: { title, version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    ...(hasTokens && { security: [{ token: [] }] }),
    paths,
    components: { schemas, ...(hasTokens && { securitySchemes }) },
  };
}

type Components = Map<string, unknown>;

function operationOf(operation: Operation, components: Components): Json {
  const { id, summary, description, parameters = [], body, responses, isPublic = false } = operation;
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    ...(isPublic && { security: [] }),
    ...(parameters.length > 0 && { parameters: parameters.map((one) => parameterOf(one, components)) }),
    ...(body && { requestBody: { required: body.required, content: contentOf(body.content, components) } }),
    responses: mapped(responses, (response) => responseOf(response, components)),
  };
}

function parameterOf({ in: place, name, description, schema }: Parameter, components: Components): Json {
  return { in: place, name, description, required: place === 'path', schema: schemaOf(schema, components) };
}

function responseOf({ description, content, headers }: Response, components: Components): Json {
  return {
    description,
    ...(headers && {
      headers: mapped(headers, (header) => ({
        description: header.description,
        required: true,
        schema: schemaOf(header.schema, components),
      })),
    }),
    ...(content && { content: contentOf(content, components) }),
  };
}

const contentOf = (content: Readonly<Record<string, Schema>>, components: Components): Json =>
  mapped(content, (schema) => ({ schema: schemaOf(schema, components) }));

function mapped<Value>(values: Readonly<Record<string, Value>>, change: (value: Value) => unknown): Json {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}

/** The JSON Schema of what is sent. */
function schemaOf(schema: Schema, components: Components): unknown {
  const { $schema: _, $defs = {}, ...own } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  for (const [id, definition] of Object.entries($defs)) components.set(id, readable(definition));
  return readable(own);
}

/** Without what is for the API server alone or says nothing, and with references into the components. */
function readable(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(readable);
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(plainList(node as Json)).filter(
    ([name, value]) => !isNoise(node as Json, name, value),
  );
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      name === '$ref' && typeof value === 'string'
        ? value.replace('#/$defs/', '#/components/schemas/')
        : readable(value),
    ]),
  );
}

/** A tuple of one kind as a list of fixed length, which says the same: many tools do not know `prefixItems`. */
function plainList(node: Json): Json {
  const { prefixItems, ...rest } = node;
  if (!Array.isArray(prefixItems)) return node;
  const [first, ...others] = prefixItems.map((one) => JSON.stringify(one));
  return others.every((one) => one === first) ? { ...rest, items: prefixItems[0] } : node;
}

function isNoise({ format }: Json, name: string, value: unknown): boolean {
  if (name.startsWith('x-kubernetes-')) return true;
  // The format says what zod's pattern says.
  if (name === 'pattern') return format === 'date' || format === 'date-time';
  if (name === 'minimum') return value === Number.MIN_SAFE_INTEGER;
  return name === 'maximum' && value === Number.MAX_SAFE_INTEGER;
}
