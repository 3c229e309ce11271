import { z } from 'zod';

/** Deeper than anything that people write; what walks a value may then do so by recursion. */
const MAX_DEPTH = 32;

/** Any value that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * A field that the API server stores without looking inside, because structural schemas have no words for its shape:
 * `schema` judges it here. Values nested deeper than 32 are refused before `schema` sees them.
 * With a `type`, rules in CEL see at least that the field is there.
 */
export function opaque<Schema extends z.ZodType>(schema: Schema, description: string, type?: 'object') {
  const shallow = z.unknown().refine((value) => isWithinDepth(value, MAX_DEPTH), {
    message: `must not be nested deeper than ${MAX_DEPTH}`,
    abort: true,
  });
  return shallow.pipe(schema as z.ZodType<z.output<Schema>, unknown>).meta({
    description,
    ...(type && { type }),
    'x-kubernetes-preserve-unknown-fields': true,
  });
}

function isWithinDepth(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isWithinDepth(inner, levels - 1));
}
