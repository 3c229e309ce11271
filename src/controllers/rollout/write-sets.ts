import { HASH_LABEL, ROLLOUT_LABEL } from '../../api/names.ts';
import { SluiceError } from '../../base/errors.ts';
import type { Write } from '../../core/rollout/decision.ts';
import { type ControllerRevision, controllerRevisions, type ReplicaSet, replicaSets } from '../../kube/builtins.ts';
import { isAlreadyExists } from '../../kube/kube-error.ts';
import { staleNotesOf, templateOf } from './gather-workload.ts';
import {
  canarySetManifest,
  controllerRef,
  recordManifest,
  recordName,
  stableSetManifest,
  TAKEN_OVER_ANNOTATION,
} from './manifests.ts';
import { hashOf } from './template.ts';
import { deploymentOf, options, refOf, type WriteContext } from './write-context.ts';

export async function makeRecord(
  context: WriteContext,
  { hash, stableHash }: Extract<Write, { kind: 'MakeRecord' }>,
): Promise<void> {
  const { client, gathered } = context;
  const stableTemplate = templateOf(gathered.sets, gathered.records, stableHash);
  if (!stableTemplate)
    throw new SluiceError('SLUICE_INTERNAL', `the template of stable ${stableHash} is nowhere to be read`);
  const manifest = recordManifest(gathered.rollout.metadata.name, deploymentOf(context), hash, {
    stableHash,
    stableTemplate,
  });
  await unlessThere(client.create(controllerRevisions, manifest, options(context)));
}

/** All records of the Rollout. Sets that one still owns go with it, so they are handed over or back before. */
export async function removeRecords(context: WriteContext): Promise<void> {
  for (const { metadata } of context.gathered.records)
    await context.client.delete(controllerRevisions, refOf(context, metadata.name), {
      ...options(context),
      preconditions: { uid: metadata.uid },
      propagation: 'Background',
    });
}

/** Makes the canary set, takes over one that the Deployment had kept, or changes its size. */
export async function scaleCanary(
  context: WriteContext,
  { hash, replicas }: Extract<Write, { kind: 'ScaleCanary' }>,
): Promise<void> {
  const { client, gathered } = context;
  const deployment = deploymentOf(context);
  const record = await recordFor(context, hash);
  if (!record) return; // made by the pass before; its event is still to come
  const set = gathered.sets.find((candidate) => hashOf(candidate) === hash);
  if (!set) {
    const manifest = canarySetManifest(gathered.rollout.metadata.name, deployment, record, hash, replicas);
    await unlessThere(client.create(replicaSets, manifest, options(context)));
    return;
  }
  const ours = set.metadata.ownerReferences?.some(({ uid }) => uid === record.metadata.uid);
  const takeOver = {
    ownerReferences: [controllerRef(record, false)],
    annotations: { [TAKEN_OVER_ANNOTATION]: 'true' },
    labels: { [ROLLOUT_LABEL]: gathered.rollout.metadata.name },
  };
  await patchSet(context, set, { ...(ours ? {} : { metadata: takeOver }), spec: { replicas } });
}

async function recordFor(context: WriteContext, hash: string): Promise<ControllerRevision | undefined> {
  const cached = context.gathered.records.find(({ metadata }) => metadata.labels?.[HASH_LABEL] === hash);
  return (
    cached ??
    (await context.client.get(
      controllerRevisions,
      refOf(context, recordName(deploymentOf(context).metadata.name, hash)),
      options(context),
    ))
  );
}

/** Deletes the canary set; one that was taken over goes back to the Deployment, at 0. */
export async function removeCanary(
  context: WriteContext,
  { hash }: Extract<Write, { kind: 'RemoveCanary' }>,
): Promise<void> {
  const { client, gathered } = context;
  const set = gathered.sets.find(
    (candidate) => hashOf(candidate) === hash && candidate.metadata.labels?.[ROLLOUT_LABEL] !== undefined,
  );
  if (!set) return;
  if (set.metadata.annotations?.[TAKEN_OVER_ANNOTATION])
    await patchSet(context, set, { metadata: ofDeployment(context, {}), spec: { replicas: 0 } });
  else
    await client.delete(replicaSets, refOf(context, set.metadata.name), {
      ...options(context),
      preconditions: { uid: set.metadata.uid },
      propagation: 'Background',
    });
}

/** Metadata of a set that is the Deployment's own, with nothing of ours left on it. */
export function ofDeployment(context: WriteContext, annotations: Readonly<Record<string, string>>): object {
  return {
    ownerReferences: [controllerRef(deploymentOf(context), true)],
    annotations: { ...annotations, [TAKEN_OVER_ANNOTATION]: null },
    labels: { [ROLLOUT_LABEL]: null },
  };
}

export async function remakeStable(
  context: WriteContext,
  { hash }: Extract<Write, { kind: 'RemakeStable' }>,
): Promise<void> {
  const { client, gathered } = context;
  const deployment = deploymentOf(context);
  const replicas = deployment.spec?.replicas ?? 1;
  const set = gathered.sets.find((candidate) => hashOf(candidate) === hash);
  if (set) return patchSet(context, set, { spec: { replicas } });
  const template = templateOf(gathered.sets, gathered.records, hash);
  if (template)
    await unlessThere(
      client.create(replicaSets, stableSetManifest(deployment, hash, template, replicas), options(context)),
    );
}

export async function cleanSets(context: WriteContext): Promise<void> {
  const deployment = deploymentOf(context);
  for (const set of context.gathered.sets) {
    const notes = staleNotesOf(set, deployment);
    if (notes.length === 0) continue;
    await patchSet(context, set, { metadata: { annotations: Object.fromEntries(notes.map((note) => [note, null])) } });
  }
}

export async function patchSet(context: WriteContext, set: ReplicaSet, merge: object): Promise<void> {
  const { name, uid, resourceVersion } = set.metadata;
  await context.client.patch(
    replicaSets,
    refOf(context, name),
    { merge },
    { ...options(context), preconditions: { uid, resourceVersion } },
  );
}

/** Somebody, most likely our own pass before, was faster. */
async function unlessThere(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
