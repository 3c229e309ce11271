import type { Pod, ReplicaSet } from '../../kube/builtins.ts';

const fatalWaits = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

/** Why a set's pods do not come up, in one sentence: what forbids making them, scheduling them, or starting them. */
export function troubleOf(set: ReplicaSet, pods: readonly Pod[]): string | undefined {
  const forbidden = set.status?.conditions?.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  if (forbidden) return forbidden.message ?? forbidden.reason;
  for (const { metadata, status } of pods) {
    const unscheduled = status?.conditions?.find(
      (condition) => condition.type === 'PodScheduled' && condition.status === 'False',
    );
    if (unscheduled)
      return `pod ${metadata.name} cannot be scheduled: ${unscheduled.message ?? unscheduled.reason ?? ''}`;
    for (const container of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
      const waiting = container.state?.waiting;
      if (waiting?.reason && fatalWaits.has(waiting.reason))
        return `pod ${metadata.name}, container ${container.name}: ${waiting.reason}${waiting.message ? `: ${waiting.message}` : ''}`.slice(
          0,
          512,
        );
    }
  }
  return undefined;
}
