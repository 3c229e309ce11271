import { HASH_LABEL } from '../../api/names.ts';
import type { Write } from '../../core/rollout/decision.ts';
import { services } from '../../kube/builtins.ts';
import { isRefused } from '../../kube/kube-error.ts';
import { canaryName, helperService, isHelperOf, stableName } from './manifests.ts';
import { isBehind, isUndone, mayPin, noPin, pinRefused, pinUndone, pinWritten } from './pin-watch.ts';
import { options, refOf, specOf, type WriteContext } from './write-context.ts';

/**
 * Keeps the user's Service on one revision. Its selector is one atomic field that its owner may put back, or a policy keep:
 * then we try again, ever more seldom, and the rollout goes on as far as it can without.
 */
export async function pinService(
  context: WriteContext,
  { hash }: Extract<Write, { kind: 'PinService' }>,
): Promise<void> {
  const { client, sources, memory, clock, logger } = context;
  const name = specOf(context).traffic.service;
  const service = sources.services.get(refOf(context, name));
  const aimedAt = service?.spec?.selector?.[HASH_LABEL];
  if (!service || aimedAt === hash || isBehind(memory.pin, service)) return;
  if (isUndone(memory.pin, aimedAt)) {
    const fresh = await client.get(services, refOf(context, name), options(context)); // caches keep no managedFields
    memory.pin = pinUndone(memory.pin, fresh, clock.now());
  }
  if (!mayPin(memory.pin, clock.now())) return;
  const { resourceVersion } = service.metadata;
  try {
    await client.patch(
      services,
      refOf(context, name),
      { merge: { spec: { selector: { [HASH_LABEL]: hash } } } },
      { ...options(context), preconditions: { resourceVersion } },
    );
    memory.pin = pinWritten(memory.pin, hash, resourceVersion, clock.now());
  } catch (error) {
    if (!isRefused(error)) throw error;
    logger.warn({ service: name, error: error.message }, 'the Service may not be pinned');
    memory.pin = pinRefused(memory.pin, error.message, clock.now());
  }
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
  context.memory.pin = noPin;
}

/** Makes both helpers, or aims them anew; all their fields are ours. */
export async function aimHelpers(
  context: WriteContext,
  { stableHash, canaryHash }: Extract<Write, { kind: 'AimHelpers' }>,
): Promise<void> {
  const { client, sources, gathered, logger } = context;
  const name = specOf(context).traffic.service;
  const user = sources.services.get(refOf(context, name));
  if (!user) return;
  const rollout = gathered.rollout.metadata.name;
  const force = { ...options(context), force: true };
  try {
    await client.apply(services, helperService(rollout, user, stableName(name), stableHash), force);
    await client.apply(services, helperService(rollout, user, canaryName(name), canaryHash), force);
  } catch (error) {
    // The way back ends with the user's own Service: it must not stand still for one that may not be made any more.
    if (!gathered.observed.status.inFlight?.retreat || !isRefused(error)) throw error;
    logger.warn({ service: name, error: error.message }, 'a helper Service may not be made again');
  }
}

export async function removeHelpers(context: WriteContext): Promise<void> {
  const { client, sources, memory, gathered } = context;
  const name = specOf(context).traffic.service;
  memory.pin = noPin; // the rollout is over: the next one asks the Service's owner anew
  for (const helper of [stableName(name), canaryName(name)]) {
    const service = sources.services.get(refOf(context, helper));
    if (!service || !isHelperOf(service, gathered.rollout)) continue;
    const { uid } = service.metadata;
    await client.delete(services, refOf(context, helper), { ...options(context), preconditions: { uid } });
  }
}
