import type { FlagRevision } from '../api/feature-flag-status.ts';
import type { KubeClient } from '../kube/client.ts';
import { canonicalJson } from '../wire/canonical-json.ts';
import { type FlagObject, featureFlags, flagStatusOf } from './flag-object.ts';

type FlagSpec = NonNullable<FlagObject['spec']>;

/** Where to go. */
export interface RollbackTarget {
  readonly revision: number;
  /** What is to be written. */
  readonly spec: FlagSpec;
}

/**
 * The revision of this number, as it was. Without a number, the newest accepted one that differs from the present spec in more than the kill
 * switch, with the present kill switch: who killed a bad revision means the one before it, and wakes nothing by going there. The
 * history may not know the present spec yet: the operator writes it.
 */
export function revisionToGoTo(flag: FlagObject, revision: number | undefined): RollbackTarget | undefined {
  const { history } = flagStatusOf(flag);
  if (revision !== undefined) {
    const found = history.find((one) => one.revision === revision);
    const spec = found && specOf(found);
    return spec && { revision, spec };
  }
  const { killSwitch, ...present } = flag.spec ?? {};
  const text = textOf(present);
  for (const one of history.toReversed()) {
    const former = specOf(one);
    if (!one.accepted || !former) continue;
    const { killSwitch: _, ...spec } = former;
    if (textOf(spec) === text) continue;
    return { revision: one.revision, spec: killSwitch === undefined ? spec : { ...spec, killSwitch } };
  }
  return undefined;
}

/** Undefined for what we have not written. */
function specOf({ spec }: FlagRevision): FlagSpec | undefined {
  try {
    const value: unknown = JSON.parse(spec);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as FlagSpec) : undefined;
  } catch {
    return undefined;
  }
}

/** As histories have it; undefined where it has no such text, and then it is in none. */
function textOf(spec: FlagSpec): string | undefined {
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
  { spec }: RollbackTarget,
  signal: AbortSignal,
): Promise<FlagObject> {
  const json = [{ op: 'replace', path: '/spec', value: spec }] as const;
  const preconditions = { uid, resourceVersion };
  return client.patch(featureFlags, { namespace, name }, { json }, { signal, preconditions });
}
