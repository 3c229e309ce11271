import type { CustomObject } from './sources.ts';

interface StickyLike {
  readonly spec?: { readonly traffic?: { readonly stickiness?: unknown } };
  readonly status?: { readonly inFlight?: { readonly stickiness?: unknown } };
}

/** Known without reading all of it: most Rollouts are not, and each of their samples is a change. */
export function mayBeSticky(rollout: CustomObject): boolean {
  const { spec, status } = rollout as StickyLike;
  return spec?.traffic?.stickiness !== undefined || status?.inFlight?.stickiness !== undefined;
}
