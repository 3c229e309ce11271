import { FINALIZER } from '../../api/names.ts';
import type { Decision, Write } from '../../core/rollout/decision.ts';
import { keyOf } from '../../kube/resource.ts';
import { rolloutsResource } from './sources.ts';
import type { WriteContext } from './write-context.ts';
import { ORDINARY_DEADLINE_MS, options } from './write-context.ts';
import { addGateLabel, handOver, letGo, resume } from './write-deployment.ts';
import { attachPolicies, detachPolicies } from './write-policies.ts';
import { changeRoutes, dropRecords, lowerRoutes } from './write-routes.ts';
import { aimHelpers, pinService, removeHelpers, unpinService } from './write-services.ts';
import { cleanSets, makeRecord, remakeStable, removeCanary, removeRecords, scaleCanary } from './write-sets.ts';
import { writeStatus } from './write-status.ts';

type Performer<Kind extends Write['kind']> = (
  context: WriteContext,
  write: Extract<Write, { kind: Kind }>,
) => Promise<void>;

const performers: { readonly [Kind in Write['kind']]: Performer<Kind> } = {
  AddFinalizer: (context) => setFinalizer(context, true),
  RemoveFinalizer: (context) => setFinalizer(context, false),
  AddGateLabel: addGateLabel,
  MakeRecord: makeRecord,
  RemoveRecord: removeRecords,
  PinService: pinService,
  UnpinService: unpinService,
  AimHelpers: aimHelpers,
  RemoveHelpers: removeHelpers,
  ScaleCanary: scaleCanary,
  RemoveCanary: removeCanary,
  RemakeStable: remakeStable,
  CleanSets: cleanSets,
  Lower: lowerRoutes,
  Route: changeRoutes,
  DropRecords: dropRecords,
  AttachPolicies: attachPolicies,
  DetachPolicies: detachPolicies,
  HandOver: handOver,
  Resume: resume,
  LetGo: letGo,
};

/** After a lowering nothing else is more urgent; after a lowering that failed, the next attempt at it is. */
const STATUS_MS = { afterLowering: 10_000, afterNoLowering: 1_000 } as const;

/**
 * Carries a decision out: its writes in order, then status. What fails ends the pass; every write is safe to do again, and
 * the next pass decides from what is there then. Answers whether status changed, which is when there is something to tell.
 */
export async function apply(context: WriteContext, decision: Decision): Promise<boolean> {
  const { writes, status } = decision;
  const lowers = writes[0]?.kind === 'Lower';
  try {
    for (const write of writes) await perform(context, write);
  } catch (error) {
    if (lowers) await keepVerdicts(context, decision);
    throw error;
  }
  if (writes.some(({ kind }) => kind === 'RemoveFinalizer')) return false; // nobody is left to have a status
  return writeStatus(context, status, lowers ? STATUS_MS.afterLowering : ORDINARY_DEADLINE_MS);
}

/** The route cannot be written now: status says why it must be, for whoever leads next. Nothing else of the decision is true yet. */
async function keepVerdicts(context: WriteContext, { status }: Decision): Promise<void> {
  const { guardrails, verdict } = status;
  const { observed, rollout } = context.gathered;
  await writeStatus(context, { ...observed.status, guardrails, verdict }, STATUS_MS.afterNoLowering).catch(
    (error: unknown) =>
      context.logger.warn(
        { rollout: keyOf(rollout.metadata), err: error },
        'neither the route nor the verdict for which it must be lowered could be written',
      ),
  );
}

function perform<Kind extends Write['kind']>(
  context: WriteContext,
  write: Extract<Write, { kind: Kind }>,
): Promise<void> {
  return (performers[write.kind as Kind] as Performer<Kind>)(context, write);
}

async function setFinalizer(context: WriteContext, wanted: boolean): Promise<void> {
  const { name, namespace, uid, resourceVersion, finalizers = [] } = context.gathered.rollout.metadata;
  const others = finalizers.filter((finalizer) => finalizer !== FINALIZER);
  const merge = { metadata: { finalizers: wanted ? [...others, FINALIZER] : others } };
  const written = await context.client.patch(
    rolloutsResource,
    { namespace, name },
    { merge },
    { ...options(context), preconditions: { uid, resourceVersion } },
  );
  // The status write of this pass goes on from here.
  context.gathered.rollout.metadata.resourceVersion === written.metadata.resourceVersion ||
    Object.assign(context.gathered, { rollout: written });
}
