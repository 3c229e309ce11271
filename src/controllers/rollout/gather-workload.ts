import { GATE_ENABLED, GATE_LABEL, HASH_LABEL, HELD_BY_ANNOTATION } from '../../api/names.ts';
import type { PodSet, WorkloadSeen } from '../../core/rollout/observed.ts';
import type { ControllerRevision, Deployment, ReplicaSet } from '../../kube/builtins.ts';
import { TAKEN_OVER_ANNOTATION } from './manifests.ts';
import { isShared } from './rivals.ts';
import type { CustomObject, Sources } from './sources.ts';
import type { PodTemplate } from './template.ts';
import { digestOf, hashOf, revisionOf } from './template.ts';
import { troubleOf } from './trouble.ts';

const REVISION_ANNOTATION = 'deployment.kubernetes.io/revision';
/** On a Deployment whose gate label Sluice set, so that deletion can take it away again. */
export const GATE_LABEL_OURS_ANNOTATION = 'sluice.dev/gate-added';

/** The sets of a Deployment: its own, and those that our records own for it. */
export function setsOf(sources: Sources, deployment: Deployment, records: readonly ControllerRevision[]): ReplicaSet[] {
  const owners = [deployment.metadata.uid ?? '', ...records.map(({ metadata }) => metadata.uid ?? '')];
  return owners.flatMap((uid) => sources.replicaSets.byIndex('owner', uid));
}

export function workloadSeen(
  sources: Sources,
  rollout: CustomObject,
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  stableHash: string | undefined,
): WorkloadSeen {
  const { metadata, spec, status } = deployment;
  const replicas = spec?.replicas ?? 1;
  const hash = revisionOf(deployment, sets);
  return {
    generation: metadata.generation ?? 0,
    current: (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0),
    replicas,
    updatedReplicas: status?.updatedReplicas ?? 0,
    availableReplicas: status?.availableReplicas ?? 0,
    totalReplicas: status?.replicas ?? 0,
    paused: spec?.paused === true,
    marked: metadata.annotations?.[HELD_BY_ANNOTATION] === rollout.metadata.name,
    gateLabel: metadata.labels?.[GATE_LABEL] === GATE_ENABLED,
    gateLabelOurs:
      metadata.annotations?.[GATE_LABEL_OURS_ANNOTATION] === 'true' && !isShared(sources, rollout, deployment),
    hash,
    digest: digestOf(deployment),
    keepsSet: hash !== stableHash && sets.some((set) => hashOf(set) === hash && isKept(set, deployment)),
    staleNotes: sets.some((set) => staleNotesOf(set, deployment).length > 0),
  };
}

/** The Deployment's own, or taken over from it by a rollout that went back and left it so. */
const isKept = (set: ReplicaSet, deployment: Deployment): boolean =>
  isOwnedBy(set, deployment) || set.metadata.annotations?.[TAKEN_OVER_ANNOTATION] !== undefined;

/** Annotations of ours on a set of the Deployment's own that the Deployment does not carry. */
export function staleNotesOf(set: ReplicaSet, deployment: Deployment): string[] {
  if (!isOwnedBy(set, deployment)) return [];
  return [HELD_BY_ANNOTATION, GATE_LABEL_OURS_ANNOTATION].filter(
    (note) => set.metadata.annotations?.[note] !== undefined && deployment.metadata.annotations?.[note] === undefined,
  );
}

const isOwnedBy = (set: ReplicaSet, owner: Deployment | ControllerRevision): boolean =>
  (set.metadata.ownerReferences ?? []).some(({ controller, uid }) => controller === true && uid === owner.metadata.uid);

/** The set of a revision, if there is one. */
export function podSetSeen(
  sources: Sources,
  deployment: Deployment,
  records: readonly ControllerRevision[],
  sets: readonly ReplicaSet[],
  hash: string | undefined,
): PodSet | undefined {
  const set = hash === undefined ? undefined : sets.find((candidate) => hashOf(candidate) === hash);
  if (!set) return undefined;
  const { metadata, spec, status } = set;
  // A status that does not speak of this spec says nothing of it.
  const current = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  const pods = sources.pods.byIndex('hash', `${metadata.namespace ?? ''}/${hash}`);
  const own = pods.filter((pod) => pod.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid));
  const trouble = (status?.availableReplicas ?? 0) < (spec?.replicas ?? 0) ? troubleOf(set, own) : undefined;
  return {
    name: metadata.name,
    hash: hash ?? '',
    digest: digestOf(set),
    desired: spec?.replicas ?? 1,
    pods: Math.max(own.length, current ? (status?.replicas ?? 0) : 1),
    available: current ? (status?.availableReplicas ?? 0) : 0,
    owner: isOwnedBy(set, deployment)
      ? 'Deployment'
      : records.some((record) => isOwnedBy(set, record))
        ? 'Record'
        : 'Other',
    numbered: metadata.annotations?.[REVISION_ANNOTATION] !== undefined,
    ...(trouble === undefined ? {} : { trouble }),
  };
}

/** The record of the rollout in flight or of the last rollback; the one that is named, else any. */
export function recordHash(records: readonly ControllerRevision[], wanted: string | undefined): string | undefined {
  const hashes = records.map(({ metadata }) => metadata.labels?.[HASH_LABEL] ?? '');
  return wanted !== undefined && hashes.includes(wanted) ? wanted : hashes[0];
}

/** The template of a revision: of its set, else as a record keeps it. */
export function templateOf(
  sets: readonly ReplicaSet[],
  records: readonly ControllerRevision[],
  hash: string,
): PodTemplate | undefined {
  const set = sets.find((candidate) => hashOf(candidate) === hash);
  if (set?.spec?.template) return set.spec.template as PodTemplate;
  const kept = records
    .map((record) => record.data as unknown as { stableHash?: string; stableTemplate?: PodTemplate } | undefined)
    .find((data) => data?.stableHash === hash);
  return kept?.stableTemplate;
}
