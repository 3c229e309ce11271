import { z } from 'zod';
import type { EpochMs } from '../base/units.ts';

/** A CEL rule of the custom resource definition, next to the shape that it guards. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
  /** Where the API server points, relative to the shape: `.max`. */
  readonly fieldPath?: string;
}

/** Metadata for a shape that the API server checks with CEL; the generator of `crds/` copies it out. */
export const cel = (description: string, ...rules: CelRule[]) => ({ description, 'x-kubernetes-validations': rules });

/** The name of a namespaced object: RFC 1123 subdomain. */
export const objectName = (description: string) =>
  z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
    .max(253)
    .describe(description);

/** The name of a Service or of an entry in a list: RFC 1123 label. */
export const labelName = (description: string) =>
  z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
    .max(63)
    .describe(description);

/** A time: RFC 3339 in the resource, milliseconds since 1970 inside. */
export const time = (description: string) =>
  z
    .codec(z.iso.datetime({ offset: true }), z.custom<EpochMs>(), {
      decode: (text) => Date.parse(text) as EpochMs,
      encode: (ms) => new Date(ms).toISOString(),
    })
    .describe(description);

/** Percent with at most two decimals, 0..100; basis points are its hundredfold. */
export const percent = (description: string) =>
  z.number().min(0).max(100).refine(hasTwoDecimals, 'must have at most two decimals').describe(description);

function hasTwoDecimals(value: number): boolean {
  return Math.abs(value * 100 - Math.round(value * 100)) < 1e-6;
}
