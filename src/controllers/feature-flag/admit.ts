import type { Clock } from '../../base/clock.ts';
import { compileFlags, type FlagSource, isAccepted } from '../../core/flags/compile-flags.ts';
import { specTextOf } from '../../core/flags/flag-source.ts';
import { type JsonPatch, pointer } from '../../kube/json-patch.ts';
import type { AdmissionAnswer, AdmissionRequest } from '../../kube/webhook-server.ts';
import { AUTHOR_ANNOTATION, type Author, stampOf } from './author.ts';
import { observedFlag } from './gather.ts';
import type { FlagObject, FlagSources } from './sources.ts';

/**
 * The webhook for FeatureFlags: stamps who wrote a spec, and refuses what the compiler would not accept, so that its author
 * hears of it at once. What only other flags can mend is a warning. A flag that is not accepted as it stands can always be
 * written, or nobody could kill it.
 */
export function admitFlag(sources: FlagSources, clock: Clock) {
  return async ({ operation, namespace, object, oldObject, userInfo }: AdmissionRequest): Promise<AdmissionAnswer> => {
    if ((operation !== 'CREATE' && operation !== 'UPDATE') || !object) return { allowed: true };
    const flag = inNamespace(object, namespace);
    const before = oldObject ? inNamespace(oldObject, namespace) : undefined;
    const patch = stampPatch(flag, before, { by: userInfo.username, at: clock.now() });
    const verdict = judge(sources, flag);
    if (!verdict || isAccepted(verdict)) return { allowed: true, patch };
    const mendable = verdict.reason === 'KeyTaken' || verdict.reason === 'PrerequisiteMissing';
    const stands = before && judge(sources, before);
    const wasBad = stands !== undefined && !isAccepted(stands);
    if (mendable || wasBad)
      return { allowed: true, patch, warnings: [`not accepted: ${verdict.message}`.slice(0, 1_000)] };
    return { allowed: false, message: verdict.message.replace(/; [^;]*$/, ''), code: 422 };
  };
}

/** The API server names the namespace beside the object, which need not say it. */
function inNamespace(object: FlagObject, namespace: string | undefined): FlagObject {
  return { ...object, metadata: { ...object.metadata, ...(namespace !== undefined && { namespace }) } };
}

function judge(sources: FlagSources, flag: FlagObject) {
  const { name, namespace = '' } = flag.metadata;
  const others = sources.flags.byIndex('namespace', namespace).filter(({ metadata }) => metadata.name !== name);
  const source = withAge(observedFlag(flag).source);
  return compileFlags([...others.map((other) => observedFlag(other).source), source]).verdicts.get(name);
}

/** A flag that is being made is the youngest. */
const withAge = (source: FlagSource): FlagSource => (source.createdAt === '' ? { ...source, createdAt: '~' } : source);

/** A write that leaves the spec alone leaves its stamp alone too, whatever it says about annotations. */
function stampPatch(object: FlagObject, before: FlagObject | undefined, author: Author): JsonPatch {
  const spec = specTextOf(object);
  if (spec === undefined) return [];
  const isNew = before === undefined || specTextOf(before) !== spec;
  const wanted = isNew ? stampOf(spec, author) : before.metadata.annotations?.[AUTHOR_ANNOTATION];
  const present = object.metadata.annotations?.[AUTHOR_ANNOTATION];
  if (wanted === present) return [];
  const path = pointer('metadata', 'annotations', AUTHOR_ANNOTATION);
  if (wanted === undefined) return [{ op: 'remove', path }];
  return object.metadata.annotations === undefined
    ? [{ op: 'add', path: '/metadata/annotations', value: { [AUTHOR_ANNOTATION]: wanted } }]
    : [{ op: 'add', path, value: wanted }];
}
