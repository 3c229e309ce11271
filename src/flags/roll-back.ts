import type { FlagRevision } from '../api/feature-flag-status.ts';
import type { KubeClient } from '../kube/client.ts';
import { canonicalJson } from '../wire/canonical-json.ts';
import { type FlagObject, featureFlags, flagStatusOf } from './flag-object.ts';

/**
 * The revision of this number; without one, the newest accepted one that is not the present spec. The history may not know that yet: the
 * operator writes it.
 */
export function revisionToGoTo(flag: FlagObject, revision: number | undefined): FlagRevision | undefined {
  const { history } = flagStatusOf(flag);
  if (revision !== undefined) return history.find((one) => one.revision === revision);
  const present = textOf(flag);
  return history.findLast(({ accepted, spec }) => accepted && spec !== present);
}

/** As histories have it; undefined where it has no such text, and then it is in none. */
function textOf({ spec }: FlagObject): string | undefined {
  try {
    return canonicalJson(spec);
  } catch {
    return undefined;
  }
}

/** Writes the spec of a former revision over the flag as it was read; SLUICE_KUBE_CONFLICT where that has changed since. */
export function goTo(
  client: Pick<KubeClient, 'patch'>,
  { metadata: { namespace, name, uid, resourceVersion } }: FlagObject,
  { spec }: FlagRevision,
  signal: AbortSignal,
): Promise<FlagObject> {
  const json = [{ op: 'replace', path: '/spec', value: JSON.parse(spec) }] as const;
  const preconditions = { uid, resourceVersion };
  return client.patch(featureFlags, { namespace, name }, { json }, { signal, preconditions });
}
