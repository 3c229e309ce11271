import { z } from 'zod';
import type { Operation } from '../../wire/openapi.ts';

/** By status: what answers are written from. Fields that a form does not have never get out. */
export function responseSchemas({ responses }: Operation): Record<string, object> {
  const entries = Object.entries(responses).flatMap(([status, { content = {} }]) =>
    Object.values(content).map((schema) => [status, serialSchema(schema)] as const),
  );
  return Object.fromEntries(entries);
}

/** A spec is written as it is stored: an older or newer operator may have let it in. */
function serialSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const { id } = z.globalRegistry.get(zodSchema) ?? {};
      if (id !== 'FeatureFlagSpec') return;
      for (const name of Object.keys(jsonSchema)) delete jsonSchema[name];
    },
  });
  return rest;
}
