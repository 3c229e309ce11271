import type { FeatureFlagStatus } from '../api/feature-flag-status.ts';
import { GROUP, VERSION } from '../api/names.ts';
import { parseFeatureFlagStatus } from '../api/parse.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';

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
  typeof spec?.key === 'string' ? spec.key : metadata.name;

/** The status; one that cannot be read counts as empty. */
export function flagStatusOf({ status }: FlagObject): FeatureFlagStatus {
  const parsed = parseFeatureFlagStatus(status);
  return parsed.ok ? parsed.status : { conditions: [], history: [] };
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
    if (value !== undefined) return tool === 'its applier' ? value : tool;
  }
  const managers = (metadata.managedFields ?? []) as readonly { manager?: string; operation?: string }[];
  return managers.find(({ manager = '', operation }) => operation === 'Apply' && !/^kubectl/.test(manager))?.manager;
}
