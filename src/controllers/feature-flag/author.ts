import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { EpochMs } from '../../base/units.ts';
import type { FlagObject } from './sources.ts';

/** Annotation of a FeatureFlag: who wrote its spec and when, as the API server knew them. Written by the webhook alone. */
export const AUTHOR_ANNOTATION = 'sluice.dev/author';

const stampSchema = z.object({
  by: z.string().min(1).max(1024),
  at: z.iso.datetime(),
  /** Which spec it speaks of: a stamp that was left behind while the webhook was away names another one. */
  spec: z.string().max(64),
});

export interface Author {
  readonly by: string;
  readonly at: EpochMs;
}

/** The text of the annotation. */
export function stampOf(spec: string, { by, at }: Author): string {
  return JSON.stringify({ by, at: new Date(at).toISOString(), spec: digestOf(spec) });
}

/** Who wrote this spec, where the webhook said so of this very one. */
export function authorOf({ metadata }: FlagObject, spec: string): Author | undefined {
  const text = metadata.annotations?.[AUTHOR_ANNOTATION];
  if (text === undefined || text.length > 2_048) return undefined;
  try {
    const stamp = stampSchema.parse(JSON.parse(text));
    return stamp.spec === digestOf(spec) ? { by: stamp.by, at: Date.parse(stamp.at) as EpochMs } : undefined;
  } catch {
    return undefined;
  }
}

const digestOf = (spec: string): string => createHash('sha256').update(spec).digest('hex').slice(0, 32);
