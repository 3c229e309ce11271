import { HASH_LABEL } from '../../api/names.ts';
import type { Write } from '../../core/rollout/decision.ts';
import { services } from '../../kube/builtins.ts';
import { canaryName, helperService, stableName } from './manifests.ts';
import { options, refOf, specOf, type WriteContext } from './write-context.ts';

const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60_000;

/** Keeps the user's Service on one revision. Its selector is one atomic field that its owner may put back: then we try again, ever more seldom. */
export async function pinService(
  context: WriteContext,
  { hash }: Extract<Write, { kind: 'PinService' }>,
): Promise<void> {
  const { client, sources, memory, clock } = context;
  const name = specOf(context).traffic.service;
  const service = sources.services.get(refOf(context, name));
  if (!service || service.spec?.selector?.[HASH_LABEL] === hash) return;
  const repinning = service.spec?.selector?.[HASH_LABEL] === undefined && memory.pinned.length > 1;
  const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (memory.pinned.length - 2));
  if (repinning && clock.now() - (memory.pinned.at(-1) ?? 0) < waitMs) return;
  const { resourceVersion } = service.metadata;
  await client.patch(
    services,
    refOf(context, name),
    { merge: { spec: { selector: { [HASH_LABEL]: hash } } } },
    { ...options(context), preconditions: { resourceVersion } },
  );
  memory.pinned.push(clock.now());
}

export async function unpinService(context: WriteContext): Promise<void> {
  const name = specOf(context).traffic.service;
  const service = context.sources.services.get(refOf(context, name));
  if (service?.spec?.selector?.[HASH_LABEL] === undefined) return;
  const { resourceVersion } = service.metadata;
  await context.client.patch(
    services,
    refOf(context, name),
    { merge: { spec: { selector: { [HASH_LABEL]: null } } } },
    { ...options(context), preconditions: { resourceVersion } },
  );
  context.memory.pinned = [];
}

/** Makes both helpers, or aims them anew; all their fields are ours. */
export async function aimHelpers(
  context: WriteContext,
  { stableHash, canaryHash }: Extract<Write, { kind: 'AimHelpers' }>,
): Promise<void> {
  const { client, sources, gathered } = context;
  const name = specOf(context).traffic.service;
  const user = sources.services.get(refOf(context, name));
  if (!user) return;
  const rollout = gathered.rollout.metadata.name;
  const force = { ...options(context), force: true };
  await client.apply(services, helperService(rollout, user, stableName(name), stableHash), force);
  await client.apply(services, helperService(rollout, user, canaryName(name), canaryHash), force);
}

export async function removeHelpers(context: WriteContext): Promise<void> {
  const { client, sources } = context;
  const name = specOf(context).traffic.service;
  for (const helper of [stableName(name), canaryName(name)]) {
    const uid = sources.services.get(refOf(context, helper))?.metadata.uid;
    if (uid !== undefined)
      await client.delete(services, refOf(context, helper), { ...options(context), preconditions: { uid } });
  }
}
