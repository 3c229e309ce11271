import type { Change } from '../../kube/cache.ts';
import { keyOf, type ObjectKey } from '../../kube/resource.ts';
import { type CustomObject, indexes, type Sources } from './sources.ts';

/**
 * Who may have waited for the routes of a Rollout, when what it had in flight ends. One that is deleted by force leaves its
 * records there, so nothing else would tell them.
 */
export function waitersOf(rollouts: Sources['rollouts'], change: Change<CustomObject>): ObjectKey[] {
  if (change.type === 'added' || !isInFlight(change.before)) return [];
  if (change.type === 'updated' && isInFlight(change.after)) return [];
  const sharing = indexes.rollouts.route(change.before).flatMap((route) => rollouts.byIndex('route', route));
  return [...new Set(sharing.map(({ metadata }) => keyOf(metadata)))];
}

export const isInFlight = ({ status }: CustomObject): boolean =>
  (status as { inFlight?: unknown } | undefined)?.inFlight !== undefined;
