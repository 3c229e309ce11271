import type { FeatureFlagStatus } from '../api/feature-flag-status.ts';
import { GROUP, VERSION } from '../api/names.ts';
import { parseFeatureFlagStatus } from '../api/parse.ts';
import { SluiceError } from '../base/errors.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';
import type { Connection } from './ports.ts';
import { withoutControls } from './rollouts.ts';

/** A FeatureFlag as the API server gives it; spec and status are read when they are needed. */
export interface FlagObject extends KubeObject {
  readonly spec?: { readonly [field: string]: unknown };
  readonly status?: unknown;
}

export const featureFlags: Resource<FlagObject> = {
  group: GROUP,
  version: VERSION,
  plural: 'featureflags',
  kind: 'FeatureFlag',
  namespaced: true,
};

/** What applications ask for. */
export const keyOfFlag = ({ metadata, spec }: FlagObject): string =>
  withoutControls(typeof spec?.key === 'string' ? spec.key : metadata.name);

/** The flag of a key, else of a name; of two with one key the older, which is the one that is served. */
export async function getFlag(
  { client, namespace }: Connection,
  key: string,
  signal: AbortSignal,
): Promise<FlagObject> {
  const { items } = await client.list(featureFlags, { namespace }, { signal });
  const ageOf = ({ metadata }: FlagObject) => `${metadata.creationTimestamp} ${metadata.uid}`;
  const inOrder = [...items].sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
  const found = inOrder.find((one) => keyOfFlag(one) === key) ?? inOrder.find(({ metadata }) => metadata.name === key);
  if (found) return found;
  throw new SluiceError('SLUICE_CLI_NO_FLAG', `there is no FeatureFlag ${key} in the namespace ${namespace}`);
}

/** The status, with nothing in it that could steer a terminal; one that cannot be read counts as empty. */
export function flagStatusOf({ status }: FlagObject): FeatureFlagStatus {
  const parsed = parseFeatureFlagStatus(status);
  if (!parsed.ok) return { conditions: [], history: [] };
  const { conditions, history } = parsed.status;
  return {
    ...parsed.status,
    conditions: conditions.map((one) => ({
      ...one,
      reason: withoutControls(one.reason),
      message: withoutControls(one.message),
    })),
    history: history.map((one) => ({ ...one, ...(one.author && { author: withoutControls(one.author) }) })),
  };
}

/** Marks by which tools that apply from a repository know what is theirs. */
const MARKS: readonly (readonly [kind: 'labels' | 'annotations', name: string, tool: string])[] = [
  ['annotations', 'argocd.argoproj.io/tracking-id', 'Argo CD'],
  ['labels', 'argocd.argoproj.io/instance', 'Argo CD'],
  ['labels', 'kustomize.toolkit.fluxcd.io/name', 'Flux'],
  ['labels', 'helm.toolkit.fluxcd.io/name', 'Flux'],
  ['labels', 'app.kubernetes.io/managed-by', 'its applier'],
];

/** Who applies this object from elsewhere and will overwrite what is changed here; undefined: nobody known. */
export function applierOf({ metadata }: FlagObject): string | undefined {
  for (const [kind, name, tool] of MARKS) {
    const value = metadata[kind]?.[name];
    if (value !== undefined) return tool === 'its applier' ? withoutControls(value) : tool;
  }
  const managers = (metadata.managedFields ?? []) as readonly { manager?: string; operation?: string }[];
  const applying = managers.find(({ manager = '', operation }) => operation === 'Apply' && !/^kubectl/.test(manager));
  return applying?.manager === undefined ? undefined : withoutControls(applying.manager);
}
