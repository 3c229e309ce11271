import type { RolloutSpec } from '../../api/rollout.ts';
import { keyOf } from '../../kube/resource.ts';
import type { CustomObject, Sources } from './sources.ts';

/** Of two Rollouts for one Deployment or Service the older works and the other waits; those of one second go by name. */
export function isOlder(a: CustomObject, b: CustomObject): boolean {
  const [timeA, timeB] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return timeA < timeB || (timeA === timeB && a.metadata.name < b.metadata.name);
}

/** The Rollout that works, where this one has to wait. */
export function olderRival(sources: Sources, rollout: CustomObject, spec: RolloutSpec): CustomObject | undefined {
  const { namespace = '' } = rollout.metadata;
  const sharing = [
    ...sources.rollouts.byIndex('deployment', `${namespace}/${spec.workload.name}`),
    ...sources.rollouts.byIndex('service', `${namespace}/${spec.traffic.service}`),
  ];
  return sharing.find((other) => isAnother(other, rollout) && isOlder(other, rollout));
}

/** Another Rollout names the Deployment and goes on doing so. Of two that are deleted the older clears up after both. */
export function isShared(sources: Sources, rollout: CustomObject, deployment: CustomObject): boolean {
  const all = sources.rollouts.byIndex('deployment', keyOf(deployment.metadata));
  return all.some(
    (other) => isAnother(other, rollout) && (other.metadata.deletionTimestamp === undefined || isOlder(other, rollout)),
  );
}

const isAnother = (a: CustomObject, b: CustomObject): boolean => a.metadata.uid !== b.metadata.uid;
