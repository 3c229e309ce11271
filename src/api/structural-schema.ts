import { z } from 'zod';

/** A structural OpenAPI v3 schema, as CustomResourceDefinitions need it. Only the keywords that Sluice uses. */
export interface StructuralSchema {
  /** Absent only where `x-kubernetes-preserve-unknown-fields` stands instead. */
  type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  description?: string;
  format?: 'int64' | 'date-time' | 'date';
  default?: unknown;
  enum?: unknown[];
  properties?: Record<string, StructuralSchema>;
  required?: string[];
  items?: StructuralSchema;
  additionalProperties?: StructuralSchema;
  'x-kubernetes-preserve-unknown-fields'?: true;
  'x-kubernetes-validations'?: { rule: string; message: string; fieldPath?: string }[];
  'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set';
  [bound: string]: unknown;
}

type JsonSchema = Record<string, unknown>;

const COPIED = [
  'type',
  'default',
  'enum',
  'required',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'pattern',
  'x-kubernetes-validations',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-preserve-unknown-fields',
];
const TRANSLATED = [
  'description',
  'format',
  'const',
  'properties',
  'items',
  'additionalProperties',
  // Structural schemas do not look at the names in a map.
  'propertyNames',
  '$schema',
];
const KNOWN = new Set([...COPIED, ...TRANSLATED]);

/** The structural schema of what users write for `schema`. Throws for what Kubernetes has no word for, and for a field without description. */
export function structuralSchema(schema: z.ZodType, path: string): StructuralSchema {
  return translated(z.toJSONSchema(schema, { io: 'input', reused: 'inline' }), path);
}

function translated(node: JsonSchema, path: string): StructuralSchema {
  const unknown = Object.keys(node).find((keyword) => !KNOWN.has(keyword));
  if (unknown !== undefined) throw new Error(`${path}: no structural schema for the keyword ${unknown}`);
  const result = { ...(node.description !== undefined && { description: node.description }) } as StructuralSchema;
  for (const keyword of COPIED) if (node[keyword] !== undefined) result[keyword] = node[keyword];
  if (node.const !== undefined) result.enum = [node.const];
  if (result['x-kubernetes-preserve-unknown-fields']) return result;
  switch (result.type) {
    case 'integer':
      return withIntegerBounds(result);
    case 'string':
      // The format says what the pattern of zod says, and the API server's message is readable.
      if (node.format === 'date-time' || node.format === 'date') {
        delete result.pattern;
        result.format = node.format;
      }
      return result;
    case 'array':
      result['x-kubernetes-list-type'] ??= 'atomic';
      result.items = translated(node.items as JsonSchema, `${path}[]`);
      return result;
    case 'object':
      return node.properties ? withProperties(result, node, path) : withValues(result, node, path);
    case 'number':
    case 'boolean':
      return result;
    default:
      throw new Error(`${path}: no structural schema for the type ${result.type}`);
  }
}

function withIntegerBounds(result: StructuralSchema): StructuralSchema {
  result.format = 'int64';
  // zod's own bounds of a safe integer say nothing to a reader.
  if (result.minimum === Number.MIN_SAFE_INTEGER) delete result.minimum;
  if (result.maximum === Number.MAX_SAFE_INTEGER) delete result.maximum;
  return result;
}

/** A map. */
function withValues(result: StructuralSchema, node: JsonSchema, path: string): StructuralSchema {
  result.additionalProperties = translated(node.additionalProperties as JsonSchema, `${path}.*`);
  return result;
}

function withProperties(result: StructuralSchema, node: JsonSchema, path: string): StructuralSchema {
  const { additionalProperties } = node;
  if (additionalProperties !== undefined && additionalProperties !== false) {
    throw new Error(`${path}: an object has either fields or is a map`);
  }
  result.properties = {};
  for (const [name, property] of Object.entries(node.properties as Record<string, JsonSchema>)) {
    const at = `${path}.${name}`;
    if (!property.description) throw new Error(`${at}: has no description`);
    result.properties[name] = translated(property, at);
  }
  if (result.default !== undefined) result.default = withInnerDefaults(result.default as JsonSchema, result.properties);
  return result;
}

/** The API server judges a default by its rules before it fills in the defaults inside, so they stand in it. */
function withInnerDefaults(value: JsonSchema, properties: Record<string, StructuralSchema>): JsonSchema {
  const inner = Object.entries(properties).filter(([, property]) => property.default !== undefined);
  return { ...Object.fromEntries(inner.map(([name, property]) => [name, property.default])), ...value };
}
