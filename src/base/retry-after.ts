import type { DurationMs } from './units.ts';

/** Reads `Retry-After` (RFC 9110 §10.2.3): seconds, or a date, which is judged by `nowMs`. */
export function retryAfterMs(header: string | undefined, nowMs: number): DurationMs | undefined {
  if (header === undefined) return undefined;
  const waitMs = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(waitMs) ? undefined : (Math.max(0, waitMs) as DurationMs);
}
