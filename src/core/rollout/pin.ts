import type { InFlight } from '../../api/rollout-status.ts';
import type { Observed } from './observed.ts';

/**
 * Whether the user's Service takes part in the order of writes: it shall be pinned, and nobody keeps it open to the pods of
 * every revision. One that selects a single revision takes part in any case, as its clients depend on those pods.
 */
export const pinnable = ({ spec, services: { user } }: Observed): boolean =>
  spec?.traffic.pinService === true && !(user.contested && user.aimedAt === undefined);

/** Whether no weight may rise because clients that pass the gateway by would meet more than stable, now or in a moment. */
export function awaitsPin({ spec, services: { user } }: Observed, { stableHash }: InFlight): boolean {
  if (!spec?.traffic.pinService || spec.traffic.onUnpinned === 'Continue') return false;
  return user.aimedAt !== stableHash || user.contested !== undefined;
}

/** Why no weight rises while the Service is not pinned. */
export function unpinnedMessage({ spec, services: { user } }: Observed): string {
  const why = user.contested ? `: ${user.contested.message}` : '';
  return `Service ${spec?.traffic.service} does not select stable alone; no weight rises until it does${why}`;
}
