import { HASH_LABEL } from '../../api/names.ts';
import type { ServiceSeen } from '../../core/rollout/observed.ts';
import type { EndpointSlice, Pod, Service } from '../../kube/builtins.ts';

/** Names of pods that a Service's slices call ready. An absent condition counts as ready (EndpointSlice API, `ready`). */
export function readyPods(slices: readonly EndpointSlice[]): Set<string> {
  const names = new Set<string>();
  for (const slice of slices)
    for (const { conditions, targetRef, addresses } of slice.endpoints ?? []) {
      const ready = conditions?.ready !== false && conditions?.terminating !== true;
      if (ready) names.add(targetRef?.name ?? addresses[0] ?? '');
    }
  return names;
}

/** A pod that a Service would send to: its Ready condition, and not on its way out. */
export function isReady(pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined &&
    pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
  );
}

/** What decisions look at of a Service. `pods` are those of its namespace that its selector picks. */
export function serviceSeen(
  service: Service | undefined,
  slices: readonly EndpointSlice[],
  pods: readonly Pod[],
): ServiceSeen {
  if (!service) return { exists: false, ready: 0, listsAll: false };
  const listed = readyPods(slices);
  const expected = pods.filter(isReady).map(({ metadata }) => metadata.name);
  const aimedAt = service.spec?.selector?.[HASH_LABEL];
  return {
    exists: true,
    ...(aimedAt === undefined ? {} : { aimedAt }),
    ready: listed.size,
    listsAll: listed.size === expected.length && expected.every((name) => listed.has(name)),
  };
}

export function matches(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  return selector !== undefined && Object.entries(selector).every(([key, value]) => labels?.[key] === value);
}
