import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { name } from './names.ts';

/** Attributes that results are broken down by, at most 32. */
export const dimensions = z
  .record(name('A dimension.'), z.union([z.string().max(256), z.number(), z.boolean()]))
  .refine((map) => Object.keys(map).length <= LIMITS.dimensions, `must have at most ${LIMITS.dimensions} entries`)
  .describe('Attributes that results are broken down by.');
