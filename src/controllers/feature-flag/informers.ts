import { configMaps } from '../../kube/builtins.ts';
import type { Change } from '../../kube/cache.ts';
import type { InformerPorts } from '../../kube/informer.ts';
import { InformerSet, type OnBreak } from '../../kube/informer-set.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { SNAPSHOT_NAME } from '../../wire/snapshot.ts';
import { type FlagSources, featureFlagsResource } from './sources.ts';

/** Both watches of the FeatureFlag controller. A change wakes its namespace: the unit that is published. */
export class FlagInformers extends InformerSet {
  readonly sources: FlagSources;

  constructor(
    ports: InformerPorts,
    others: Pick<FlagSources, 'rollouts' | 'home'>,
    wake: (namespace: string) => void,
    onBreak: OnBreak,
  ) {
    super(ports, onBreak);
    const flags = this.add({
      resource: featureFlagsResource,
      indexes: { namespace: ({ metadata }) => [metadata.namespace ?? ''] },
    });
    // The operator may read no other ConfigMap.
    const snapshots = this.add({ resource: configMaps, fieldSelector: `metadata.name=${SNAPSHOT_NAME}` });
    const tell = (change: Change<KubeObject>) => {
      const { metadata } = change.type === 'deleted' ? change.before : change.after;
      wake(metadata.namespace ?? '');
    };
    flags.onChange(tell);
    snapshots.onChange(tell);
    this.sources = { ...others, flags: flags.cache, snapshots: snapshots.cache };
  }
}
