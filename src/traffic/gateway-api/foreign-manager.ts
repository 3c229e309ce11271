import { FIELD_MANAGER } from '../../api/names.ts';
import type { EpochMs } from '../../base/units.ts';
import type { PlanServices } from '../../core/rollout/route-plan.ts';
import { sameJson } from '../same-json.ts';
import { namesOf } from './find-rules.ts';
import type { HttpRoute, ManagedFields, RouteRule } from './http-route.ts';
import { ourMirror, usesHelpers } from './mirror.ts';

/**
 * Two reverts within this time make a manager a foreign one. Long, as between them lies one write of ours, which waits for a
 * gateway that has each of the other's writes to judge as well.
 */
const REVERT_WINDOW_MS = 300_000;
const REVERTS = 2;
/** It is named until it has been quiet for so long. */
const QUIET_MS = 60_000;

/** What is remembered of one route to tell a fight from an edit. Memory only: a new leader starts anew. */
export interface RevertWatch {
  /** What we last wrote, until somebody else changed it. */
  readonly written?: { readonly generation: number; readonly paths: readonly OurPaths[] };
  readonly reverts: readonly EpochMs[];
  readonly manager?: string;
}

/** What Sluice writes into one rule. */
type OurPaths = Pick<RouteRule, 'backendRefs' | 'filters'>;

export const noReverts: RevertWatch = { reverts: [] };

/** After a patch of ours: `route` is what the API server answered. */
export function wroteRoute(watch: RevertWatch, route: HttpRoute, services: PlanServices): RevertWatch {
  return { ...watch, written: { generation: generationOf(route), paths: ourPaths(route, services) } };
}

/**
 * After each read of the route. A revert is counted once, at the first read that shows it; a cache that has not seen our
 * own write yet shows an older generation and counts nothing.
 */
export function sawRoute(watch: RevertWatch, route: HttpRoute, services: PlanServices, now: EpochMs): RevertWatch {
  const { written, ...rest } = watch;
  const reverts = watch.reverts.filter((at) => now - at < REVERT_WINDOW_MS);
  const manager = lastWriterOfRules(route);
  const later = written !== undefined && generationOf(route) > written.generation;
  const reverted = later && manager !== FIELD_MANAGER && !stillThere(written.paths, ourPaths(route, services));
  if (!reverted) return { ...watch, reverts };
  return { ...rest, reverts: [...reverts, now], manager };
}

/** Who keeps writing our paths, by its name in managedFields; `undefined` while nobody does. */
export function foreignManager({ reverts, manager }: RevertWatch, now: EpochMs): string | undefined {
  const recent = reverts.filter((at) => now - at < REVERT_WINDOW_MS);
  return recent.length >= REVERTS && now - Math.max(...recent) < QUIET_MS ? manager : undefined;
}

/** The manager whose entry with `spec.rules` (an atomic list) is the newest. */
function lastWriterOfRules(route: HttpRoute): string {
  const owners = (route.metadata.managedFields ?? []).filter(ownsRules);
  const newest = owners.reduce<ManagedFields | undefined>(
    (best, entry) => (best === undefined || (entry.time ?? '') > (best.time ?? '') ? entry : best),
    undefined,
  );
  return newest?.manager ?? 'unknown';
}

function ownsRules({ fieldsV1, subresource }: ManagedFields): boolean {
  const spec = fieldsV1?.['f:spec'];
  return !subresource && typeof spec === 'object' && spec !== null && 'f:rules' in spec;
}

function ourPaths(route: HttpRoute, services: PlanServices): OurPaths[] {
  const names = namesOf(route, services);
  return (route.spec.rules ?? []).flatMap((rule) => {
    if (!usesHelpers(rule, names)) return [];
    const mirror = ourMirror(rule, names);
    return [{ backendRefs: rule.backendRefs ?? [], filters: mirror ? [mirror] : [] }];
  });
}

const stillThere = (written: readonly OurPaths[], now: readonly OurPaths[]): boolean =>
  written.every((paths) => now.some((other) => sameJson(paths, other)));

const generationOf = (route: HttpRoute): number => route.metadata.generation ?? 0;
