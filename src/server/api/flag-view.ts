import { parseFeatureFlagStatus } from '../../api/parse.ts';
import { applierOf, type FlagObject, flagStatusOf, keyOfFlag } from '../../flags/flag-object.ts';
import type { FlagForm, RevisionForm } from './forms.ts';

/** The entity tag of a flag: its version at the API server, which changes with spec and status. */
export const tagOf = ({ metadata }: FlagObject): string => `"${metadata.resourceVersion}"`;

export function flagView(flag: FlagObject): FlagForm {
  const { name, namespace = '', creationTimestamp = '' } = flag.metadata;
  const appliedBy = applierOf(flag);
  return {
    key: keyOfFlag(flag),
    name,
    namespace,
    createdAt: creationTimestamp,
    etag: tagOf(flag),
    ...(appliedBy !== undefined && { appliedBy }),
    spec: flag.spec as FlagForm['spec'],
    status: statusView(flag),
  };
}

/** As it is stored; one that cannot be read is none. */
function statusView({ status = {} }: FlagObject): FlagForm['status'] {
  if (!parseFeatureFlagStatus(status).ok) return { conditions: [] };
  const { history: _, ...rest } = status as FlagForm['status'] & { history?: unknown };
  return { conditions: [], ...rest };
}

/** The newest first. Entries that nobody can read, and so nobody can go back to, are left out. */
export function historyView(flag: FlagObject): RevisionForm[] {
  const { history } = flagStatusOf(flag);
  return history.toReversed().flatMap(({ revision, at, author, accepted, spec }) => {
    const read = specIn(spec);
    if (read === undefined) return [];
    return [{ revision, at: new Date(at).toISOString(), ...(author && { author }), accepted, spec: read }];
  });
}

function specIn(text: string): RevisionForm['spec'] | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
