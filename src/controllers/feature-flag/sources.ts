import { GROUP, VERSION } from '../../api/names.ts';
import type { ConfigMap } from '../../kube/builtins.ts';
import type { CacheReader } from '../../kube/cache.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import type { RolloutReader } from './rollout-flags.ts';

/** A FeatureFlag as the API server has it: unparsed. */
export type FlagObject = KubeObject & { readonly spec?: unknown; readonly status?: unknown };

export const featureFlagsResource: Resource<FlagObject> = {
  group: GROUP,
  version: VERSION,
  plural: 'featureflags',
  kind: 'FeatureFlag',
  namespaced: true,
};

/** Every cache that the controller reads. */
export interface FlagSources {
  readonly flags: CacheReader<FlagObject, 'namespace'>;
  /** Only those that hold a ruleset. */
  readonly snapshots: CacheReader<ConfigMap>;
  /** Each with stickiness is a flag of its own. */
  readonly rollouts: RolloutReader;
  /** Namespace of the operator, whose flag set has the flags of all Rollouts. */
  readonly home: string;
}
